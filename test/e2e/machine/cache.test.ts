// What is expensive is made once, whole or not at all.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheKey, madeOnce } from './cache.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lxd-to-incus-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Without lock files. */
function visible(): string[] {
  return readdirSync(folder).filter((name) => !name.endsWith('.lock'));
}

describe('something that is made once', () => {
  it('is made by one of two that want it at the same time', async () => {
    let made = 0;
    const make = async (temporary: string): Promise<void> => {
      made += 1;
      await delay(100);
      writeFileSync(temporary, 'whole');
    };

    const paths = await Promise.all([madeOnce(join(folder, 'x'), make), madeOnce(join(folder, 'x'), make)]);

    expect(made).toBe(1);
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(['whole', 'whole']);
  });

  it('is not there when making it failed, and is made by the next one', async () => {
    const path = join(folder, 'x');
    const fails = async (temporary: string): Promise<void> => {
      mkdirSync(temporary);
      writeFileSync(join(temporary, 'half'), '');
      throw new Error('broken');
    };

    await expect(madeOnce(path, fails)).rejects.toThrow('broken');
    expect(visible()).toEqual([]);

    await madeOnce(path, async (temporary) => writeFileSync(temporary, 'whole'));
    expect(readFileSync(path, 'utf8')).toBe('whole');
  });

  it('takes away what a killed run left and what nobody used for weeks', async () => {
    mkdirSync(join(folder, '.x.making-1'));
    writeFileSync(join(folder, 'unused'), '');
    utimesSync(join(folder, 'unused'), 1, 1);
    writeFileSync(join(folder, 'used'), '');

    await madeOnce(join(folder, 'x'), async (temporary) => writeFileSync(temporary, 'whole'));

    expect(visible().sort()).toEqual(['used', 'x']);
    expect(existsSync(join(folder, '.x.making-1'))).toBe(false);
  });
});

describe('the key of a cache', () => {
  it('tells parts apart that read the same when joined', () => {
    expect(cacheKey('ab', 'c')).not.toBe(cacheKey('a', 'bc'));
    expect(cacheKey('ab', 'c')).toBe(cacheKey('ab', 'c'));
  });
});
