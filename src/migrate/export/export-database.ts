export function exportDatabase(
  _a: string,
  _b: string,
  _c: { salvage: boolean },
): { notices: string[]; summary: string } {
  throw new Error('to be merged');
}
