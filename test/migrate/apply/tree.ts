// What a folder looks like, as one value to compare: kinds, modes, contents and destinations.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';

export function treeOf(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (path: string, name: string): void => {
    const stat = fs.lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) found[name] = `link to ${fs.readlinkSync(path)}`;
    else if (stat.isFile()) found[name] = `file ${mode} ${contentOf(path)}`;
    else if (stat.isDirectory()) {
      if (name !== '') found[name] = `folder ${mode}`;
      for (const entry of fs.readdirSync(path).sort()) walk(join(path, entry), join(name, entry));
    } else found[name] = `other ${mode}`;
  };
  walk(folder, '');
  return found;
}

function contentOf(path: string): string {
  const content = fs.readFileSync(path);
  return content.length < 200 ? content.toString('latin1') : createHash('sha1').update(content).digest('hex');
}
