// Parses a plan that a journal or a plan file holds.
import * as z from 'zod';
import { maybe } from '../../core/parse.ts';
import { conditionSchema } from './condition.ts';
import type { Finding } from './finding.ts';
import type { Plan } from './plan.ts';
import { parseStep, pathSchema, serviceSchema, socketsSchema } from './step-schema.ts';

const words = z.array(z.string()).readonly();

export const findingSchema: z.ZodType<Finding> = z.object({
  id: z.string(),
  severity: z.enum(['blocker', 'loss', 'change', 'note']),
  objects: words,
  what: z.string(),
  action: z.string(),
  answers: z
    .array(z.enum(['accept', 'fix']))
    .readonly()
    .exactOptional(),
});

const change = z.object({
  table: z.string(),
  rowId: z.number(),
  object: z.string(),
  what: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
  rule: z.string(),
});

const installation = {
  role: z.enum(['source', 'target']),
  name: z.string(),
  evidence: words,
  dataDirectory: pathSchema,
  sockets: socketsSchema,
  runtimeDirectory: maybe(pathSchema),
  service: serviceSchema,
  program: maybe(z.string()),
};

const step = z.unknown().transform((value, context) => {
  const parsed = parseStep(value);
  if ('value' in parsed) return parsed.value;
  context.issues.push({ code: 'custom', input: value, message: parsed.why });
  return z.NEVER;
});

/** Facts that a newer version adds to a plan are passed over; steps are not, since they are carried out. */
export const planSchema: z.ZodType<Plan> = z.object({
  format: z.literal(1),
  toolVersion: z.string(),
  madeAt: z.string(),
  source: z.object({ ...installation, schema: z.number() }),
  target: maybe(z.object({ ...installation, version: maybe(z.string()) })),
  position: z.object({ lastIndex: z.number(), lastTerm: z.number() }),
  contents: z.record(z.string(), z.string()).readonly().exactOptional(),
  findings: z.array(findingSchema).readonly(),
  condition: conditionSchema.exactOptional(),
  changes: z.array(change).readonly(),
  localChanges: z.array(change).readonly(),
  power: z.object({ running: words, frozen: words }),
  counts: z.object({ instances: z.number(), snapshots: z.number() }).exactOptional(),
  steps: z.array(step).readonly(),
});

/** Who wrote a plan, as far as that can be told of one that this version cannot read. */
export function writerOfPlan(value: unknown): string | undefined {
  const written = z.looseObject({ toolVersion: z.string() }).safeParse(value);
  return written.success ? written.data.toolVersion : undefined;
}
