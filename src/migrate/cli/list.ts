// Lines of a list, each by itself.

export function list(lines: readonly string[]): string {
  return lines.length === 0 ? '  nothing more' : lines.map((line) => `  ${line}`).join('\n');
}
