// What a run notes for later steps and for verify, by name, each with the parser that reads it back.
import * as z from 'zod';
import { maybe } from '../../core/parse.ts';
import { conditionSchema } from '../model/condition.ts';
import { findingSchema } from '../model/plan-schema.ts';
import { givenAnswersSchema } from './given-answers.ts';

const words = z.array(z.string()).readonly();

const storedPower = z
  .object({
    running: words,
    frozen: words,
    /** Those of both that LXD deletes when they stop; absent in journals of former versions. */
    ephemeral: words.exactOptional(),
    /** Nothing ran at all, neither daemon nor instances: `running` is what the daemon would start. */
    wouldStart: z.literal(true).exactOptional(),
    /** Whether the source's daemon answered when the record was taken. */
    daemonRan: z.boolean(),
  })
  .readonly();

const instance = { project: z.string(), name: z.string() };

const notes = {
  power: storedPower,
  condition: conditionSchema,
  /** `<network>/<key>` and value, as the host showed them when the plan was made. */
  pins: z.array(z.tuple([z.string(), z.string()])).readonly(),
  rehearsal: z.object({
    ran: z.boolean(),
    reason: maybe(z.string()),
    version: maybe(z.string()),
    compared: z.record(z.string(), z.number()).readonly(),
    findings: z.array(findingSchema).readonly(),
    notProven: z
      .array(
        z.object({
          kind: z.enum(['storage pool', 'network', 'key', 'expiry', 'patch', 'answer']),
          what: z.string(),
          objects: words,
          because: z.string(),
          checkedBy: z.string(),
        }),
      )
      .readonly(),
    milliseconds: z.number(),
  }),
  /** Whether a process listened on the source's socket when the run began; since format 2 a memo of record-source. */
  'source-listened': z.boolean(),
  /** `project/name` → value of volatile.last_state.idmap. */
  'idmaps-of-target': z.record(z.string(), z.string()).readonly(),
  held: z.array(z.object({ ...instance, autostart: z.string().nullable() })).readonly(),
  'power-outcomes': z
    .array(
      z.object({
        instance: z.string(),
        wanted: z.enum(['Running', 'Frozen', 'Stopped']),
        error: z.string().exactOptional(),
        gone: z.literal(true).exactOptional(),
      }),
    )
    .readonly(),
  'backup-files-not-refreshed': z.array(z.object({ ...instance, error: z.string() })).readonly(),
  /**
   * What is gone since the cutover, as a user accepted, each with its kind (`instance default/c1`): a rollback starts none
   * of it, and misses none of it.
   */
  'accepted-as-gone': words,
  /** What a rollback could not bring back although it went on. */
  'left-open': words,
  /** What --purge-source removes, as it was listed before a user said "go". */
  purge: z.object({
    folders: z.array(z.object({ path: z.string(), bytes: z.number(), why: z.string() })).readonly(),
    packages: words,
  }),
  /** What a user answered to the findings of the run. */
  answers: givenAnswersSchema,
  // When the last instance was gone and when the target answered: the bench reads what is between.
  'instances-gone-at': z.string(),
  'api-answered-at': z.string(),
} as const;

export type NoteName = keyof typeof notes;
export type NoteValue<N extends NoteName> = z.infer<(typeof notes)[N]>;
export type StoredPower = NoteValue<'power'>;

export function noteSchema<N extends NoteName>(name: N): z.ZodType<NoteValue<N>> {
  return notes[name] as unknown as z.ZodType<NoteValue<N>>;
}
