// Unpacks a plain tar (ustar, with GNU or pax long names) of fixtures; nothing of it can land outside the folder.
import * as fs from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const block = 512;

interface Member {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly link: string;
  readonly content: Buffer;
}

/** Unpacks into an existing folder: regular files, folders, and links that stay inside it. */
export function untar(tar: Buffer, folder: string): void {
  for (const member of members(tar)) {
    const path = inside(folder, member.name);
    switch (member.type) {
      case '5':
        fs.mkdirSync(path, { recursive: true });
        break;
      case '0':
        fs.mkdirSync(dirname(path), { recursive: true });
        fs.writeFileSync(path, member.content, { flag: 'wx', mode: member.mode });
        break;
      case '1':
        fs.linkSync(inside(folder, member.link), path);
        break;
      case '2':
        if (member.link.startsWith('/')) throw new Error(`tar: link to outside: ${member.name}`);
        inside(folder, join(dirname(member.name), member.link));
        fs.symlinkSync(member.link, path);
        break;
      default:
        throw new Error(`tar: ${member.name} is of the unknown type ${member.type}`);
    }
  }
}

/** The path of a member, refused if it leaves the folder or goes through a link. */
function inside(folder: string, name: string): string {
  const clean = normalize(name);
  if (clean.startsWith('/') || clean === '..' || clean.startsWith('../'))
    throw new Error(`tar: outside the folder: ${name}`);
  let path = folder;
  const parts = clean.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts.slice(0, -1)) {
    path = join(path, part);
    if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new Error(`tar: through a link: ${name}`);
  }
  return join(folder, ...parts);
}

function* members(tar: Buffer): Generator<Member> {
  let longName: string | undefined;
  let longLink: string | undefined;
  for (let at = 0; at + block <= tar.length; ) {
    const header = tar.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) return;
    if (checksum(header) !== octal(header, 148, 8)) throw new Error(`tar: damaged header at byte ${at}`);
    const size = octal(header, 124, 12);
    const content = tar.subarray(at + block, at + block + size);
    if (content.length !== size) throw new Error('tar: cut off');
    at += block + Math.ceil(size / block) * block;
    const type = text(header, 156, 1) || '0';
    if (type === 'L') longName = text(content, 0, size);
    else if (type === 'K') longLink = text(content, 0, size);
    else if (type === 'x') {
      longName = paxValue(content, 'path') ?? longName;
      longLink = paxValue(content, 'linkpath') ?? longLink;
    } else if (type !== 'g') {
      const prefix = text(header, 257, 5) === 'ustar' && header[263] === 48 ? text(header, 345, 155) : '';
      const short = text(header, 0, 100);
      yield {
        name: longName ?? (prefix === '' ? short : `${prefix}/${short}`),
        type,
        mode: octal(header, 100, 8) & 0o777,
        link: longLink ?? text(header, 157, 100),
        content,
      };
      longName = undefined;
      longLink = undefined;
    }
  }
}

function checksum(header: Buffer): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}

function text(bytes: Buffer, offset: number, length: number): string {
  const field = bytes.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function octal(bytes: Buffer, offset: number, length: number): number {
  return Number.parseInt(text(bytes, offset, length).trim() || '0', 8);
}

/** Records of a pax header are `LENGTH KEY=VALUE\n`. */
function paxValue(content: Buffer, key: string): string | undefined {
  let value: string | undefined;
  for (let at = 0; at < content.length; ) {
    const length = Number.parseInt(content.toString('latin1', at, at + 20), 10);
    if (!(length > 0)) throw new Error('tar: damaged pax header');
    const record = content.toString('utf8', at, at + length - 1);
    const [, found, rest] = /^\d+ ([^=]+)=([\s\S]*)$/.exec(record) ?? [];
    if (found === key) value = rest;
    at += length;
  }
  return value;
}
