// What sort of text a file holds: it decides which scopes its words are in and which earlier spellings count.
export type FileKind = 'go' | 'doc' | 'shell' | 'other';

export function fileKind(path: string): FileKind {
  if (path.endsWith('.go')) return 'go';
  if (path.endsWith('.md') || path.endsWith('.rst') || path.startsWith('doc/')) return 'doc';
  if (path.endsWith('.sh') || path.startsWith('test/')) return 'shell';
  return 'other';
}
