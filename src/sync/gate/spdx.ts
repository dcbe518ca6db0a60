// SPDX headers: what a file says of its own licence. They can close the gate, never open it.

const header = /SPDX-License-Identifier:[ \t]*([^\n\r]*)/g;
const headBytes = 4096;

/** What stands in a file's first lines; several headers are several expressions. */
export function readSpdxHeaders(text: string): readonly string[] {
  return [...text.slice(0, headBytes).matchAll(header)].map((match) =>
    // The end of a comment is no part of the expression.
    (match[1] ?? '').replace(/(?:\*\/|-->|#\}|\*\)).*$/, '').trim(),
  );
}

/** Whether an expression leaves a compatible choice; an expression that cannot be read does not. */
export function allowsCompatible(expression: string, compatible: readonly string[]): boolean {
  const tokens = expression.match(/[()]|[A-Za-z0-9.+-]+/g) ?? [];
  let position = 0;
  const either = (): boolean => {
    let value = both();
    while (/^or$/i.test(tokens[position] ?? '')) {
      position += 1;
      value = both() || value;
    }
    return value;
  };
  const both = (): boolean => {
    let value = one();
    while (/^and$/i.test(tokens[position] ?? '')) {
      position += 1;
      value = one() && value;
    }
    return value;
  };
  const one = (): boolean => {
    const token = tokens[position];
    position += 1;
    if (token === undefined) return false;
    if (token === '(') {
      const value = either();
      if (tokens[position] !== ')') return false;
      position += 1;
      return value;
    }
    // An exception only adds permissions; the licence before it decides.
    const value = compatible.some((id) => id.toLowerCase() === token.toLowerCase());
    if (/^with$/i.test(tokens[position] ?? '')) position += 2;
    return value;
  };
  const value = either();
  return value && position === tokens.length;
}
