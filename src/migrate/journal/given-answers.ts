// What a user answered to the findings of a run: kept with it, so that resume, verify and the report know it to the end.
import * as z from 'zod';
import { maybe } from '../../core/parse.ts';
import type { Difference } from '../model/difference.ts';
import type { Answers } from '../model/finding.ts';

const difference: z.ZodType<Difference> = z.object({
  change: z.enum(['missing', 'extra', 'different']),
  object: z.string(),
  kind: z.string(),
  name: z.string(),
  field: maybe(z.string()),
  expected: maybe(z.string()),
  actual: maybe(z.string()),
});

export const givenAnswersSchema = z
  .object({
    /** Ids of findings that were accepted. */
    accept: z.array(z.string()).readonly(),
    fix: z.boolean(),
    /** What the rehearsal found to be different, where that was accepted: all of it, however long. */
    differences: z.array(difference).readonly(),
  })
  .readonly();

export type GivenAnswers = z.infer<typeof givenAnswersSchema>;

/** Of runs that were begun before answers were kept. */
export const noAnswers: GivenAnswers = { accept: [], fix: false, differences: [] };

export function toAnswers({ accept, fix }: GivenAnswers): Answers {
  return { accept: new Set(accept), fix };
}
