// Standard output holds results or JSON lines and nothing else; standard error is for people.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openOutput } from '../../src/core/output.ts';
import { anyText } from '../any-text.ts';

afterEach(() => vi.restoreAllMocks());

/** What is written while an action runs. */
function captured(action: () => void): { stdout: string; stderr: string } {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      texts[name] += String(chunk);
      return true;
    });
  try {
    action();
  } finally {
    vi.restoreAllMocks();
  }
  return texts;
}

describe('with --json', () => {
  test('every line on standard output is one JSON value, whatever is printed', () => {
    const output = openOutput({ json: true, colour: true });
    const call = fc.oneof(
      fc.record({ kind: fc.constant('line' as const), text: fc.string() }),
      fc.record({ kind: fc.constant('message' as const), text: fc.string() }),
      fc.record({ kind: fc.constant('progress' as const), text: fc.string() }),
      fc.record({ kind: fc.constant('event' as const), text: anyText }),
    );

    fc.assert(
      fc.property(fc.array(call), (calls) => {
        const { stdout } = captured(() => {
          for (const { kind, text } of calls)
            if (kind === 'event') output.event({ event: text });
            else output[kind](text);
        });
        const lines = stdout.split('\n');

        expect(lines.pop()).toBe('');
        expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(
          calls.filter(({ kind }) => kind === 'event').map(({ text }) => text),
        );
      }),
      { numRuns: 30 },
    );
  });

  test('nothing is coloured', () => {
    expect(openOutput({ json: true, colour: true }).colour('red', 'text')).toBe('text');
  });
});

describe('without --json', () => {
  test('results go to standard output, messages to standard error, events nowhere', () => {
    const output = openOutput({ json: false, colour: false });

    const { stdout, stderr } = captured(() => {
      output.line('a result');
      output.message('a message');
      output.event({ event: 'unseen' });
    });

    expect(stdout).toBe('a result\n');
    expect(stderr).toBe('a message\n');
  });

  test('progress is silent where there is no terminal', () => {
    const { stdout, stderr } = captured(() => openOutput({ json: false, colour: false }).progress('half'));

    expect(stdout + stderr).toBe('');
  });
});

test('a reader that goes away does not end the program', async () => {
  const module = join(import.meta.dirname, '../../src/core/output.ts');
  const script = `
    const { openOutput } = await import(${JSON.stringify(module)});
    const output = openOutput({ json: false, colour: false });
    for (let line = 0; line < 2000; line += 1) {
      output.line('x'.repeat(1000));
      output.message('y'.repeat(100));
      if (line % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    process.exitCode = 42;
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  child.stderr.destroy();

  const [status] = await once(child, 'close');

  expect(status).toBe(42);
});

describe('whatever is printed', () => {
  const acts = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u;

  test('nothing of it acts on the terminal but ends of lines and tabs', () => {
    const output = openOutput({ json: false, colour: false });

    fc.assert(
      fc.property(anyText, (text) => {
        const { stdout, stderr } = captured(() => {
          output.line(text);
          output.message(text);
        });

        expect((stdout + stderr).replaceAll(/[\n\t]/g, '')).not.toMatch(acts);
      }),
      { numRuns: 50 },
    );
  });

  test('colours of our own are left, others and all other escapes are not', () => {
    const output = onTerminal(() => openOutput({ json: false, colour: true }));

    const { stdout } = captured(() =>
      output.line(`${output.colour('red', 'a')}\u001b[2J\u001b[5m\u009b1m\tb`),
    );

    expect(stdout).toBe('\u001b[31ma\u001b[0m\\u{1b}[2J\\u{1b}[5m\\u{9b}1m\tb\n');
  });

  test('an event says the same, and nothing in it acts', () => {
    const output = openOutput({ json: true, colour: false });

    const { stdout } = captured(() => output.event({ event: '\u009b31m\u202e' }));

    expect(stdout).toBe('{"event":"\\u009b31m\\u202e"}\n');
  });
});

/** As if standard output were a terminal that may be coloured. */
function onTerminal<T>(action: () => T): T {
  const before = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY');
  Object.defineProperty(process.stdout, 'isTTY', { value: true, configurable: true });
  vi.stubEnv('NO_COLOR', undefined);
  try {
    return action();
  } finally {
    vi.unstubAllEnvs();
    if (before === undefined) Reflect.deleteProperty(process.stdout, 'isTTY');
    else Object.defineProperty(process.stdout, 'isTTY', before);
  }
}
