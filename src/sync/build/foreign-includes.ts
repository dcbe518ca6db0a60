// What Go's assembler would read besides the files of a package: it shows lines of it, and what a build says may be published.
import { join } from 'node:path';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';

const limit = 16 * 1024 * 1024;
/** The one form that is followed (cmd/asm/internal/lex: a name in quotes); its files are looked at likewise. */
const ofOwnFolder = /^[ \t]*#[ \t]*include[ \t]+"([\w-][\w.-]*)"[ \t]*(?:\/\/.*)?\r?$/;

/** Which of the assembler files of a folder, and what they include, names a file elsewhere, or in a way that is not understood. */
export function foreignInclude(folder: string, names: readonly string[]): string | undefined {
  const left = [...names];
  const seen = new Set<string>();
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const line of textOf(join(folder, name)).split('\n')) {
      if (!/include/.test(line)) continue;
      const own = ofOwnFolder.exec(line)?.[1];
      if (own !== undefined) left.push(own);
      // A comment may stand between `#` and the word, over lines too.
      else if (!/^[ \t]*\/\//.test(line)) return name;
    }
  }
  return undefined;
}

/** Empty for what is not there: Go's own headers are in a folder of its own. */
function textOf(path: string): string {
  try {
    return readRegularFile(path, { limit, links: 'refuse' }).toString('latin1');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    if (error instanceof Failure) return '#include\n';
    throw error;
  }
}
