// Which names a Go function takes from outside of itself, and which of its own it never uses: a compiler's first look.

/** Functions and methods by name, each as its source; takes source without strings and comments. */
export function splitFunctions(code: string): ReadonlyMap<string, string> {
  const functions = new Map<string, string>();
  for (const match of code.matchAll(head)) {
    const [, receiver, name = ''] = match;
    const end = code.indexOf('\n}', match.index);
    const line = code.indexOf('\n', match.index);
    const oneLine = line >= 0 && code.slice(match.index, line).trimEnd().endsWith('}');
    const stop = oneLine ? line : end < 0 ? code.length : end + 2;
    const key = receiver === undefined ? name : `${receiver}.${name}`;
    // Several `init` may stand in one file.
    functions.set(functions.has(key) ? `${key} ${functions.size}` : key, code.slice(match.index, stop));
  }
  return functions;
}

const head = /^func (?:\((?:\w+ )?\*?(\w+)(?:\[[^\]]*\])?\) )?([A-Za-z_]\w*)/gm;
const word = /(?<![\w.])([A-Za-z_]\w*)(?=([ \t]*:(?!=))?)/g;
const assigned = /(?<![\w.])((?:[A-Za-z_]\w*)(?:[ \t]*,[ \t]*[A-Za-z_]\w*)*)[ \t]*:=/g;
const stated = /\b(?:var|const|type)[ \t]+((?:[A-Za-z_]\w*)(?:[ \t]*,[ \t]*[A-Za-z_]\w*)*)/g;
const statedGroup = /\b(?:var|const|type) \(\n([\s\S]*?)\n[ \t]*\)/g;
const label = /^[ \t]*([A-Za-z_]\w*):[ \t]*$/gm;
const fieldList = /\b(?:struct|interface)[ \t]*\{/g;

/** Names that the function uses and does not declare; keys of literals and what follows a dot are not looked at. */
export function looseNames(code: string): ReadonlySet<string> {
  const own = ownNames(code);
  const loose = new Set<string>();
  for (const match of code.matchAll(word)) {
    const [, name = '', key] = match;
    if (key === undefined && !own.has(name)) loose.add(name);
  }
  return loose;
}

/** Variables that `:=` makes and that nothing reads: the compiler refuses those. */
export function unusedNames(code: string): readonly string[] {
  const counts = new Map<string, number>();
  for (const match of code.matchAll(/(?<![\w.])[A-Za-z_]\w*/g))
    counts.set(match[0], (counts.get(match[0]) ?? 0) + 1);
  const made = [...code.matchAll(assigned)].flatMap((match) => namesIn(match[1] ?? ''));
  return made.filter((name) => name !== '_' && counts.get(name) === 1);
}

const statement = /^[ \t]*((?:[A-Za-z_]\w*)(?:[ \t]*,[ \t]*[A-Za-z_]\w*)*)[ \t]*:=/;
const oneVariable = /^[ \t]*var[ \t]+([A-Za-z_]\w*)\b/;

/** Names that a statement makes though its block has all of them already: the compiler refuses `:=` and `var` there. */
export function remadeNames(code: string): readonly string[] {
  const remade: string[] = [];
  const blocks: Set<string>[] = [new Set()];
  for (const line of code.split('\n')) {
    if (/^[ \t]*(?:case\b.*|default[ \t]*):[ \t]*$/.test(line)) blocks[blocks.length - 1] = new Set();
    const block = blocks.at(-1);
    const names = namesIn(statement.exec(line)?.[1] ?? oneVariable.exec(line)?.[1] ?? '').filter(
      (name) => name !== '_',
    );
    if (block !== undefined && names.length > 0 && !/^[ \t]*\}/.test(line)) {
      if (names.every((name) => block.has(name))) remade.push(...names);
      for (const name of names) block.add(name);
    }
    for (const [character] of line.matchAll(/[{}]/g)) {
      if (character === '{') blocks.push(new Set());
      else if (blocks.length > 1) blocks.pop();
    }
  }
  return remade;
}

/** Whether every bracket has its other half. */
export function isBalanced(code: string): boolean {
  const wanted: number[] = [];
  for (let at = 0; at < code.length; at += 1) {
    const character = code.charCodeAt(at);
    if (character === 0x28) wanted.push(0x29);
    else if (character === 0x5b || character === 0x7b) wanted.push(character + 2);
    else if (character === 0x29 || character === 0x5d || character === 0x7d)
      if (wanted.pop() !== character) return false;
  }
  return wanted.length === 0;
}

function ownNames(code: string): ReadonlySet<string> {
  const own = new Set<string>(['_']);
  const add = (names: Iterable<string>): void => {
    for (const name of names) own.add(name);
  };
  for (const list of parameterLists(code)) add(parameterNames(list));
  for (const match of code.matchAll(assigned)) add(namesIn(match[1] ?? ''));
  for (const match of code.matchAll(stated)) add(namesIn(match[1] ?? ''));
  for (const match of code.matchAll(statedGroup))
    for (const line of (match[1] ?? '').split('\n'))
      add(namesIn(/^[ \t]*([\w, \t]*?\w)(?=[ \t=]|$)/.exec(line)?.[1] ?? ''));
  for (const match of code.matchAll(label)) add([match[1] ?? '']);
  // Fields of types that are written out in place.
  for (const match of code.matchAll(fieldList)) {
    const from = match.index + match[0].length - 1;
    for (const line of code.slice(from + 1, closing(code, from)).split('\n'))
      add(namesIn(/^[ \t]*((?:\w+[ \t]*,[ \t]*)*\w+)/.exec(line)?.[1] ?? ''));
  }
  return own;
}

function namesIn(list: string): readonly string[] {
  return list.match(/[A-Za-z_]\w*/g) ?? [];
}

/** What stands in the parentheses after each `func`: receiver, parameters and results. */
function parameterLists(code: string): readonly string[] {
  const lists: string[] = [];
  for (const match of code.matchAll(/\bfunc\b/g)) {
    let at = match.index + 4;
    for (let list = 0; list < 3; list += 1) {
      const gap = /^[ \t]*(?:[A-Za-z_]\w*)?/.exec(code.slice(at, at + 200))?.[0] ?? '';
      at += gap.length;
      if (code[at] === '[') {
        const end = closing(code, at);
        lists.push(code.slice(at + 1, end));
        at = end + 1;
      }
      if (code[at] !== '(') break;
      const end = closing(code, at);
      lists.push(code.slice(at + 1, end));
      at = end + 1;
    }
  }
  return lists;
}

/** Names of a list like `a, b int, c *Type`: the first word of each element. */
function parameterNames(list: string): readonly string[] {
  const names: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= list.length; at += 1) {
    const character = list[at] ?? ',';
    if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    else if (character === ',' && depth === 0) {
      const name = /^[\s]*([A-Za-z_]\w*)(?![\w.])/.exec(list.slice(start, at))?.[1];
      if (name !== undefined) names.push(name);
      start = at + 1;
    }
  }
  return names;
}

function closing(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at += 1) {
    const character = code[at] ?? '';
    if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return code.length;
}
