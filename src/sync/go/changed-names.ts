// Which names of a package mean something else after a change, or nothing any more: whoever uses them is looked at again.
import { printSignature, printType } from './print-type.ts';
import type { GoDeclarations } from './read-declarations.ts';

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
  const [old, now] = [namesOf(before), namesOf(after)];
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

function namesOf(files: readonly GoDeclarations[]): Names {
  const names: Names = { top: new Map(), members: new Map(), interfaces: new Map() };
  for (const file of files) {
    for (const [name, found] of file.functions) names.top.set(name, `func${printSignature(found.type)}`);
    for (const [name, { declaration }] of file.values) names.top.set(name, printType(declaration.type));
    for (const [type, methods] of file.methods)
      for (const [name, method] of methods) names.members.set(`${type}.${name}`, printSignature(method.type));
    for (const [name, declaration] of file.types) {
      const { type } = declaration;
      if (type.kind === 'struct') {
        // Its fields count by themselves; what it embeds brings members along.
        names.top.set(
          name,
          `struct ${type.fields.filter((field) => field.embedded).map((field) => printType(field.type))}`,
        );
        for (const field of type.fields)
          if (field.name !== undefined) names.members.set(`${name}.${field.name}`, printType(field.type));
      } else if (type.kind === 'interface') {
        names.top.set(name, 'interface');
        names.interfaces.set(name, printType(type));
        for (const method of type.methods)
          names.members.set(`${name}.${method.name}`, printSignature(method.type));
      } else names.top.set(name, `${declaration.alias ? '=' : ''}${printType(type)}`);
    }
  }
  return names;
}
