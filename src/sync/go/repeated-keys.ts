// Keys of one literal and labels of one switch that stand there twice: no compiler takes them.
import type { Clause, Composite, Declaration, Expression } from './syntax.ts';
import type { TypeFault } from './type-fault.ts';

/** What stands twice in some declarations of a file. */
export function repeatedKeys(text: string, declarations: readonly Declaration[]): readonly TypeFault[] {
  const faults: TypeFault[] = [];
  const once = (what: string, expressions: readonly Expression[]): void => {
    const seen = new Set<string>();
    for (const expression of expressions) {
      const name = constantName(text, expression);
      if (name === undefined) continue;
      if (seen.has(name))
        faults.push({ kind: 'declared-twice', at: expression.at, name, text: `${what} ${name}` });
      seen.add(name);
    }
  };
  for (const declaration of declarations) {
    visit(declaration, (node) => {
      if (isComposite(node))
        once(
          'key',
          node.elements.flatMap(({ key }) => key ?? []),
        );
      if (isSwitch(node))
        once(
          'case',
          node.clauses.flatMap(({ cases }) => cases ?? []),
        );
    });
  }
  return faults;
}

/** How an expression is spelt that has one value, or one type; undefined for one that may have any. */
function constantName(text: string, expression: Expression): string | undefined {
  switch (expression.kind) {
    case 'literal':
      return text.slice(expression.at, expression.end);
    case 'name':
      return expression.name === '_' ? undefined : expression.name;
    case 'selector':
      return expression.of.kind === 'name' ? `${expression.of.name}.${expression.name}` : undefined;
    case 'star': {
      const of = constantName(text, expression.of);
      return of === undefined ? undefined : `*${of}`;
    }
    default:
      return undefined;
  }
}

interface Node {
  readonly kind: string;
}

/** Every node below one that says of what kind it is, whatever else there is between them. */
function visit(value: object, see: (node: Node) => void): void {
  if (isNode(value)) see(value);
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) visit(part, see);
}

function isNode(value: object): value is Node {
  return 'kind' in value && typeof value.kind === 'string';
}

function isComposite(node: Node): node is Composite {
  return node.kind === 'composite';
}

/** One with a tag: what stands after `case` without one is a condition. */
function isSwitch(node: Node): node is Node & { readonly clauses: readonly Clause[] } {
  return node.kind === 'type-switch' || (node.kind === 'switch' && 'tag' in node && node.tag !== undefined);
}
