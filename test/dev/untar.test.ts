// The tar reader of fixtures, on archives that the tar of this machine makes and on hostile ones.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { untar } from '../../src/dev/untar.ts';
import { temporaryFolder } from '../dqlite/temporary-folder.ts';

const folder = temporaryFolder();

/** Packs a folder as GNU tar does by default, or in another format. */
function tarOf(source: string, format: 'gnu' | 'ustar' | 'pax'): Buffer {
  return execFileSync('tar', ['-C', source, `--format=${format}`, '-cf', '-', '.']);
}

/** A header made by hand, for what tar itself would not write. */
function member(name: string, type: string, link = ''): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('00000000000\0', 124);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function target(): string {
  return fs.mkdtempSync(join(folder, 'into-'));
}

describe('untar', () => {
  it.each(['gnu', 'ustar', 'pax'] as const)(
    'unpacks files, folders, links and long names of format %s',
    (format) => {
      const source = target();
      const deep = join(source, 'a'.repeat(60), 'b'.repeat(60));
      fs.mkdirSync(deep, { recursive: true });
      fs.writeFileSync(join(deep, 'long'), Buffer.alloc(1500, 7));
      fs.writeFileSync(join(source, 'empty'), '', { mode: 0o600 });
      fs.linkSync(join(source, 'empty'), join(source, 'hard'));
      fs.symlinkSync('empty', join(source, 'soft'));

      const into = target();
      untar(tarOf(source, format), into);

      expect(fs.readFileSync(join(into, 'a'.repeat(60), 'b'.repeat(60), 'long'))).toEqual(
        Buffer.alloc(1500, 7),
      );
      expect(fs.statSync(join(into, 'empty')).mode & 0o777).toBe(0o600);
      expect(fs.statSync(join(into, 'hard')).ino).toBe(fs.statSync(join(into, 'empty')).ino);
      expect(fs.readlinkSync(join(into, 'soft'))).toBe('empty');
    },
  );

  it.each([
    ['a name that climbs out', [member('../evil', '0')]],
    ['an absolute name', [member('/tmp/evil', '0')]],
    ['a link that leads out', [member('link', '2', '../../etc')]],
    ['a link to an absolute path', [member('link', '2', '/etc')]],
    ['a hard link to outside', [member('link', '1', '../x')]],
    ['a file through a link', [member('d', '5'), member('link', '2', 'd'), member('link/evil', '0')]],
    ['a device', [member('null', '3')]],
    ['a damaged header', [Buffer.alloc(512, 1)]],
  ])('refuses %s', (_, members) => {
    const into = target();
    expect(() => untar(Buffer.concat([...members, Buffer.alloc(1024)]), into)).toThrow(/^tar: /);
    expect(fs.existsSync(join(folder, 'evil'))).toBe(false);
  });
});
