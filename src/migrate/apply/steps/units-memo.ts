// What the steps that stop, disable and mask units remember of them, read from the journal.
import { z } from 'zod';
import { pathSchema, textSchema, unitSchema } from '../../model/step-schema.ts';

const states = z.array(z.object({ unit: unitSchema, enabled: z.string() }));

/** Of a step that masks or disables; journals of former versions have the states alone. */
export const unitsMemo = z.object({
  states,
  links: z.array(z.object({ path: pathSchema, target: textSchema })).optional(),
  masked: z.array(unitSchema).optional(),
});

export type UnitsMemo = Readonly<z.infer<typeof unitsMemo>>;

/** Units that a step has masked; one with a file of its own in systemd's place for masks is disabled instead. */
export function maskedUnits(memo: unknown, units: readonly string[]): readonly string[] {
  return unitsMemo.safeParse(memo).data?.masked ?? units;
}

/** Of a step that stops a daemon. */
export const daemonMemo = z.object({
  /** Whether it answered. */
  ran: z.boolean(),
  /** Units that were active; absent in journals of former versions. */
  active: z.array(unitSchema).optional(),
});

export type DaemonMemo = Readonly<z.infer<typeof daemonMemo>>;
