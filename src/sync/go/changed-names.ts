// Which names of a package mean something else after a change, or nothing any more: whoever uses them is looked at again.
import { printSignature, printType } from './print-type.ts';
import type { GoDeclarations } from './read-declarations.ts';
import type { Declaration } from './syntax.ts';

export interface ChangedNames {
  /** Functions, types and values. */
  readonly top: ReadonlySet<string>;
  /** Methods and fields, whatever they belong to. */
  readonly members: ReadonlySet<string>;
  /** Interfaces that ask for other methods now. */
  readonly interfaces: ReadonlySet<string>;
  /** Types with a method that is another one now, or gone. */
  readonly receivers: ReadonlySet<string>;
}

/** What differs between two states of the same files of one package. */
export function changedNames(
  before: readonly GoDeclarations[],
  after: readonly GoDeclarations[],
): ChangedNames {
  // What reads the same on both sides is what it was.
  const [left, right] = [before, after].map((files) => new Set(files.flatMap((file) => file.skeletons())));
  const isSame = (skeleton: string): boolean => left?.has(skeleton) === true && right?.has(skeleton) === true;
  const [old, now] = [namesOf(before, isSame), namesOf(after, isSame)];
  const top = new Set<string>();
  const members = new Set<string>();
  const interfaces = new Set<string>();
  const receivers = new Set<string>();
  for (const [name, text] of old.top) if (now.top.get(name) !== text) top.add(name);
  for (const [name, text] of old.members) {
    if (now.members.get(name) === text) continue;
    const dot = name.indexOf('.');
    members.add(name.slice(dot + 1));
    receivers.add(name.slice(0, dot));
  }
  for (const [name, text] of old.interfaces) if (now.interfaces.get(name) !== text) interfaces.add(name);
  return { top, members, interfaces, receivers };
}

interface Names {
  readonly top: Map<string, string>;
  readonly members: Map<string, string>;
  readonly interfaces: Map<string, string>;
}

function namesOf(files: readonly GoDeclarations[], isSame: (skeleton: string) => boolean): Names {
  const names: Names = { top: new Map(), members: new Map(), interfaces: new Map() };
  for (const file of files)
    for (const [number, skeleton] of file.skeletons().entries())
      if (!isSame(skeleton)) for (const one of file.declarationsIn(number)) addNames(names, one);
  return names;
}

function addNames({ top, members, interfaces }: Names, one: Declaration): void {
  if (one.kind === 'values') {
    for (const { name } of one.names) top.set(name, printType(one.type));
    return;
  }
  const { name, type } = one;
  if (one.kind === 'function') {
    if (one.receiver === undefined) top.set(name, `func${printSignature(one.type)}`);
    else members.set(`${one.receiver.type}.${name}`, printSignature(one.type));
  } else if (type.kind === 'struct') {
    // Its fields count by themselves; what it embeds brings members along.
    top.set(
      name,
      `struct ${type.fields.filter((field) => field.embedded).map((field) => printType(field.type))}`,
    );
    for (const field of type.fields)
      if (field.name !== undefined) members.set(`${name}.${field.name}`, printType(field.type));
  } else if (type.kind === 'interface') {
    top.set(name, 'interface');
    interfaces.set(name, printType(type));
    for (const method of type.methods) members.set(`${name}.${method.name}`, printSignature(method.type));
  } else top.set(name, `${one.alias ? '=' : ''}${printType(type)}`);
}
