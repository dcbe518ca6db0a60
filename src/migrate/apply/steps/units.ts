// Steps that keep daemons from starting, and let them start again: masks, and what is enabled.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { unitStates } from '../../detect/systemctl.ts';
import { removeUnitLinks, restoreUnitLinks, syncUnitLinks, unitLinks } from '../../machine/unit-links.ts';
import type { Step } from '../../model/step.ts';
import { readUnitsAnew } from '../read-units-anew.ts';
import { type ApplyContext, isBegun, memoOf, type StepHandler } from '../step-handler.ts';
import { type UnitsMemo, unitsMemo } from './units-memo.ts';

type Of<K extends Step['kind']> = StepHandler<Extract<Step, { kind: K }>>;

/** systemd's place for masks, where people put files and links of their own too. */
const maskFolder = '/etc/systemd/system';

const systemctl = (context: ApplyContext, verb: string, units: readonly string[]): Promise<unknown> =>
  units.length === 0
    ? Promise.resolve()
    : context.host.run(['systemctl', verb, ...units], { timeoutMs: 60_000 });

function inMaskFolder({ host }: ApplyContext, unit: string): fs.Stats | undefined {
  return fs.lstatSync(host.path(join(maskFolder, unit)), { throwIfNoEntry: false });
}

/** systemctl puts a mask where such a file stands, and refuses to replace it: these units are disabled instead. */
function hasOwnFile(context: ApplyContext, unit: string): boolean {
  return inMaskFolder(context, unit)?.isFile() === true;
}

/** A unit that was linked from elsewhere, or another name of one, stands in the place of its mask as well. */
function hasOwnLink(context: ApplyContext, unit: string): boolean {
  return (
    inMaskFolder(context, unit)?.isSymbolicLink() === true &&
    fs.readlinkSync(context.host.path(join(maskFolder, unit))) !== '/dev/null'
  );
}

async function areMasked(context: ApplyContext, units: readonly string[]): Promise<boolean> {
  return (await unitStates(context.host, units)).every(({ unit, enabled }) =>
    hasOwnFile(context, unit) ? enabled !== 'enabled' : enabled === 'masked',
  );
}

async function asFound(context: ApplyContext, units: readonly string[]): Promise<UnitsMemo> {
  return {
    states: await unitStates(context.host, units),
    links: unitLinks(context.host, units),
    masked: units.filter((unit) => !hasOwnFile(context, unit)),
  };
}

/** Links in the place of a mask are on record by now, and come back when it goes. */
async function mask(context: ApplyContext, units: readonly string[]): Promise<void> {
  const own = units.filter((unit) => hasOwnFile(context, unit));
  for (const unit of units)
    if (hasOwnLink(context, unit)) fs.rmSync(context.host.path(join(maskFolder, unit)));
  await systemctl(
    context,
    'mask',
    units.filter((unit) => !own.includes(unit)),
  );
  await systemctl(context, 'disable', own);
  syncUnitLinks(context.host);
}

/** Those that were masked before stay so. */
async function unmask(context: ApplyContext, before: UnitsMemo | null): Promise<void> {
  if (before === null) return;
  const own = before.states.filter(({ unit }) => hasOwnFile(context, unit));
  const units = before.states.filter((state) => state.enabled !== 'masked' && !own.includes(state));
  await systemctl(
    context,
    'unmask',
    units.map(({ unit }) => unit),
  );
  await enableAgain(context, before, own);
}

/**
 * What `enable` makes is what the unit's file says; what was there may be more (links made by hand, a unit linked from
 * elsewhere, links until the next boot) or less. So the links themselves decide, where they were written down.
 */
async function enableAgain(
  context: ApplyContext,
  { states, links }: UnitsMemo,
  these: UnitsMemo['states'],
): Promise<void> {
  const { host } = context;
  const units = states.map(({ unit }) => unit);
  const standing = new Set(unitLinks(host, units).map(({ path }) => path));
  await systemctl(
    context,
    'enable',
    these.filter(({ enabled }) => enabled === 'enabled').map(({ unit }) => unit),
  );
  if (links !== undefined) {
    const wanted = new Set(links.map(({ path }) => path));
    const surplus = unitLinks(host, units).filter(({ path }) => !standing.has(path) && !wanted.has(path));
    removeUnitLinks(host, surplus);
    if (restoreUnitLinks(host, links).length + surplus.length > 0) await readUnitsAnew(context);
  }
  syncUnitLinks(host);
}

export const maskSourceStep: Of<'mask-source'> = {
  memo: unitsMemo,
  async apply({ step, memo, remember, context }) {
    if (memo === null) remember(await asFound(context, step.units));
    await mask(context, step.units);
  },
  undo: (call) => unmask(call.context, memoOf(unitsMemo, call)),
  holds: ({ step, context }) => areMasked(context, step.units),
};

/** incusd started on LXD's own database would convert it in its own way: no restart of the machine may do that. */
export const maskTargetStep: Of<'mask-target'> = {
  memo: unitsMemo,
  async apply({ step, memo, remember, context }) {
    if (memo === null) remember(await asFound(context, step.units));
    await mask(context, step.units);
  },
  undo: (call) => unmask(call.context, memoOf(unitsMemo, call)),
  holds: async ({ step, context }) =>
    isBegun(context, 'unmask-target') || (await areMasked(context, step.units)),
};

export const unmaskTargetStep: Of<'unmask-target'> = {
  apply({ context }) {
    const masked = context.journal.steps(context.run).find(({ step }) => step.kind === 'mask-target');
    if (masked === undefined) return;
    return unmask(context, memoOf(unitsMemo, { ...masked, context }));
  },
  undo: ({ step, context }) => mask(context, step.units),
};

/**
 * While they are not masked: systemd ignores masked units when it enables or disables, and a mask that were taken off once
 * the directory has moved would let a power cut start a new, empty LXD in its place.
 */
export const disableSourceStep: Of<'disable-source'> = {
  memo: unitsMemo,
  async apply({ step, memo, remember, context }) {
    if (memo === null) remember(await asFound(context, step.units));
    await systemctl(context, 'disable', step.units);
    syncUnitLinks(context.host);
  },
  async undo(call) {
    const before = memoOf(unitsMemo, call);
    if (before !== null) await enableAgain(call.context, before, before.states);
  },
  undoIsIndependent: true,
};
