// Cuts a line into tokens: words, qualified Go names, numbers, blanks, single other characters.

const tokenPattern = /[A-Za-z_]\w*(?:\.[A-Z]\w*)?|\d+|[ \t\r\f\v]+|[\s\S]/g;
const quotedTokenPattern = /"[^" \t]*"|[A-Za-z_]\w*(?:\.[A-Z]\w*)?|\d+|[ \t\r\f\v]+|[\s\S]/g;

/** Tokens whose concatenation is the line; `util.Foo` is one token, since the two parts are renamed together. */
export function tokenize(line: string): readonly string[] {
  return line.match(tokenPattern) ?? [];
}

/** The same with each short quoted word as one token: a string is changed as a whole or not at all. */
export function tokenizeQuoted(line: string): readonly string[] {
  return line.match(quotedTokenPattern) ?? [];
}

export function isWord(token: string): boolean {
  return /^[A-Za-z_]/.test(token);
}
