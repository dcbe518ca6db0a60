// Parses the steps that a journal or a plan file holds: one schema a kind, strict, since a field that is not understood may matter.
import * as z from 'zod';
import { maybe, parseValue } from '../../core/parse.ts';
import type { Step, StepKind } from './step.ts';

/** What becomes a part of a path, an argument or a file: none of them can hold a NUL. */
export const textSchema = z.string().refine((text) => !text.includes('\0'));
const text = textSchema;
const words = z.array(text).readonly();
/** Its name is that of a file as well. */
export const unitSchema = z
  .string()
  .refine((name) => name !== '' && !name.includes('\0') && !name.includes('/'));
const units = z.array(unitSchema).readonly();
/** As the tool writes them; steps remove and move what is there. */
export const pathSchema = z
  .string()
  .refine((text) => text.startsWith('/') && !text.includes('\0') && !text.split('/').includes('..'));
const path = pathSchema;
/** A path, or the name of an abstract socket. */
export const socketsSchema = words;
const role = z.enum(['source', 'target']);
const argv = z.tuple([text], text).readonly();

export const serviceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('systemd'), units, start: units }),
  z.strictObject({
    kind: z.literal('commands'),
    start: z.array(argv).readonly(),
    stop: z.array(argv).readonly(),
  }),
  z.strictObject({ kind: z.literal('none'), offline: text.exactOptional() }),
]);

const owner = { dataDirectory: path, program: maybe(text) };
const daemon = z.strictObject({ role, sockets: socketsSchema, service: serviceSchema, ...owner });

const pools = z
  .array(z.strictObject({ name: text, driver: text, source: maybe(text) }))
  .readonly()
  .exactOptional();

const move = { from: path, to: path };
const setAside = { path, into: path };

function step<K extends StepKind, F extends z.ZodRawShape>(kind: K, fields: F) {
  return z.strictObject({ kind: z.literal(kind), ...fields });
}

const schemas: { readonly [K in StepKind]: z.ZodType<Extract<Step, { kind: K }>> } = {
  'record-source': step('record-source', { daemon }),
  'record-power': step('record-power', { daemon, pools }),
  'stop-daemon': step('stop-daemon', { daemon }),
  'clear-leftovers': step('clear-leftovers', {
    role,
    ...owner,
    bridges: words,
    interfaces: words,
    firewallTable: maybe(text),
    pools,
  }),
  'set-aside-target': step('set-aside-target', setAside),
  'stop-instances': step('stop-instances', { daemon }),
  'mask-source': step('mask-source', { units }),
  'mask-target': step('mask-target', { units }),
  'unmask-target': step('unmask-target', { units }),
  'disable-source': step('disable-source', { units }),
  'prove-quiet': step('prove-quiet', { owners: z.array(z.strictObject(owner)).readonly() }),
  'convert-again': step('convert-again', { sourceDirectory: path, into: path }),
  'record-directory': step('record-directory', { directory: path, into: path }),
  'move-directory': step('move-directory', move),
  'move-mount': step('move-mount', { ...move, boot: z.enum(['fstab', 'unit', 'nothing']) }),
  'empty-target-mount': step('empty-target-mount', setAside),
  'copy-ahead': step('copy-ahead', { ...move, intoMount: z.boolean(), bytes: z.number() }),
  'copy-directory': step('copy-directory', { ...move, intoMount: z.boolean() }),
  'set-aside-database': step('set-aside-database', setAside),
  'install-database': step('install-database', { from: path, path, keep: path }),
  'rename-snapshots-folder': step('rename-snapshots-folder', move),
  'repoint-links': step('repoint-links', { directory: path, ...move }),
  'add-id-range': step('add-id-range', {
    file: path,
    line: text,
    neededBySource: z.boolean().exactOptional(),
  }),
  'empty-runtime-folder': step('empty-runtime-folder', { path }),
  'start-daemon': step('start-daemon', { daemon, bridges: words, pools }),
  'restore-power': step('restore-power', { daemon }),
  'release-autostart': step('release-autostart', { daemon }),
  'leave-note': step('leave-note', { directory: path, movedTo: path, kept: z.boolean() }),
  'refresh-backup-files': step('refresh-backup-files', { daemon }),
  'write-dump': step('write-dump', { folder: path }),
};

const kindOf = z.looseObject({ kind: z.string() });

/** @returns why it is no step that this version knows, where it is none */
export function parseStep(value: unknown): { readonly value: Step } | { readonly why: string } {
  const kind = kindOf.safeParse(value);
  if (!kind.success) return { why: 'it has no kind' };
  const { kind: name } = kind.data;
  if (!Object.hasOwn(schemas, name)) return { why: `its kind ${JSON.stringify(name)} is not known` };
  return parseValue<Step>(schemas[name as StepKind], value);
}
