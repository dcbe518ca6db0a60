// YAML of a repository, in a time that grows with its length: the parser's own ways to name errors and keys do not.
import { type Document, isMap, isScalar, isSeq, parseDocument } from 'yaml';

/** Errors carry no place: to find the line of each, the parser reads the text from its beginning. */
export function readYaml(text: string): Document.Parsed {
  return parseDocument(text, { prettyErrors: false, uniqueKeys: false });
}

/** Whether it can be read, and has no key twice in one map. */
export function isWholeYaml(text: string): boolean {
  const { errors, contents } = readYaml(text);
  return errors.length === 0 && !hasKeyTwice(contents);
}

function hasKeyTwice(root: unknown): boolean {
  const left = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (isSeq(node)) for (const item of node.items) left.push(item ?? null);
    if (!isMap(node)) continue;
    const keys = new Set<unknown>();
    for (const { key, value } of node.items) {
      left.push(value ?? null);
      if (!isScalar(key)) left.push(key ?? null);
      else if (keys.has(key.value)) return true;
      else keys.add(key.value);
    }
  }
  return false;
}
