import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeRules } from '../../../fixtures/histories/tiny-fork.ts';
import { checkPack, runExamples } from '../../../src/sync/rules/check-pack.ts';
import { rewriteCommands } from '../../../src/sync/rules/commands.ts';
import { explainPath, explainText } from '../../../src/sync/rules/explain-rules.ts';
import { matchesGlob } from '../../../src/sync/rules/glob.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { reversePack } from '../../../src/sync/rules/reverse-pack.ts';
import { withoutRule } from '../../../src/sync/rules/without-rule.ts';
import { applySpans, compileWords } from '../../../src/sync/rules/words.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const lxdIncus = join(import.meta.dirname, '..', '..', '..', 'rules', 'lxd-incus');

function tinyRules(changes: Readonly<Record<string, string>> = {}): string {
  const folder = join(temporaryFolder(), 'rules');
  writeRules(folder, '1'.repeat(40));
  for (const [name, text] of Object.entries(changes)) writeFileSync(join(folder, name), text);
  return folder;
}

describe('the lxd-incus pack', () => {
  it('passes its own checks', () => {
    expect(checkPack(loadPack(lxdIncus))).toEqual([]);
  });

  it('leaves other projects and upstream threads alone', () => {
    const pack = loadPack(lxdIncus);
    const texts = [
      'go-lxc with LXC_DEVEL=1',
      'https://github.com/canonical/lxd/pull/12566',
      'lxcfs and liblxc',
    ];
    for (const text of texts) expect(explainText(pack, text, 'doc/a.md').to).toBe(text);
  });

  it('is final after one application', () => {
    const pack = loadPack(lxdIncus);
    const words = compileWords(pack.words, pack.protected);
    const rewrite = (text: string) =>
      applySpans(
        text,
        words.match(text, 'a.txt', () => 'prose'),
      );
    const piece = fc.constantFrom(
      'lxd',
      'LXD',
      'lxc',
      ' ',
      '_',
      'DIR',
      'incus',
      '/',
      'go-',
      '`',
      'br0',
      'a ',
      '.',
      'raw.',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const once = rewrite(pieces.join(''));
        // What the rules wrote stays; words that only now stand next to a blank or a quote may still be a command.
        expect(rewrite(rewrite(once))).toBe(rewrite(once));
      }),
    );
  });

  it('says which Go names move, and by which rule', () => {
    const { steps } = explainText(loadPack(lxdIncus), 'if shared.StringInSlice(a, b) {', 'lxd/a.go');
    expect(steps).toEqual([
      'shared-to-shared-util: in Go, characters 4-23 (shared.StringInSlice) become util.ValueInSlice where shared/util declares it',
    ]);
  });

  it('explains what a pick writes: an address of a server is no path, and a path is one if upstream has it', () => {
    const pack = loadPack(lxdIncus);
    const asked = `[ "$(curl --silent --unix-socket "$LXD_DIR/unix.socket" -w "%{http_code}" "lxd/1.0")" = "200" ]`;
    const { to, steps } = explainText(pack, asked, 'test/suites/serverconfig.sh');
    const named = explainText(pack, '\tgo build ./lxd/db', 'Makefile');
    expect(to).toContain('"$INCUS_DIR/unix.socket" -w "%{http_code}" "incus/1.0")"');
    expect(steps.filter((step) => step.startsWith('path:'))).toEqual([]);
    expect(named.steps).toContain(
      'path: characters 13-18 (lxd/db) become internal/server/db where upstream has such a file or folder',
    );
  });

  it('leaves a line that nobody types as it is', () => {
    const { commands } = loadPack(lxdIncus);
    const long = `lxc snapshot c1 ${'a'.repeat(30_000)}`;

    expect(rewriteCommands(commands, long)).toEqual({ line: long, rules: [] });
    expect(rewriteCommands(commands, 'lxc snapshot c1 s').line).toBe('lxc snapshot create c1 s');
  });

  it('rewrites commands that the fork takes with other arguments, and no others', () => {
    const { commands } = loadPack(lxdIncus);
    const rewrite = (line: string) => rewriteCommands(commands, line).line;

    expect(rewrite('  ! lxc storage volume snapshot "$(pool)" vol1 --project p1 || false')).toBe(
      '  ! lxc storage volume snapshot create "$(pool)" vol1 --project p1 || false',
    );
    expect(rewrite('use `lxc snapshot c1` or `lxc restore c1 s0`')).toBe(
      'use `lxc snapshot create c1` or `lxc snapshot restore c1 s0`',
    );
    expect(rewrite('lxc_remote config trust add --name foo -q')).toBe('lxc_remote config trust add foo -q');
    expect(rewrite('LXD_CONF=x lxc config trust add c.crt; lxc delete c1/s0')).toBe(
      'LXD_CONF=x lxc config trust add-certificate c.crt; lxc snapshot delete c1 s0',
    );
    // One within the arguments of another: only the inner one is rewritten, and no text is lost.
    expect(rewrite('lxc snapshot c1 lxc snapshot c2')).toBe('lxc snapshot c1 lxc snapshot create c2');
    for (const line of [
      'lxc snapshot create c1',
      'lxc delete c1 c2',
      'lxc list',
      'git snapshot c1',
      'lxc snapshot',
    ])
      expect(rewrite(line)).toBe(line);
    // A command that was rewritten is not rewritten again.
    const word = fc.constantFrom(
      'lxc',
      'snapshot',
      'create',
      'c1',
      'c1/s0',
      '--name',
      'delete',
      'restore',
      '|',
      '"a b"',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 9 }), (words) => {
        const once = rewrite(words.join(' '));
        expect(once.split(' ').filter((one) => one === '|').length).toBe(
          words.filter((one) => one === '|').length,
        );
      }),
    );
  });

  it('rewrites commands with arguments as pages write them', () => {
    const { commands } = loadPack(lxdIncus);
    const rewrite = (line: string) => rewriteCommands(commands, line).line;
    const rows = [
      [
        '    lxc snapshot <instance_name> [<snapshot name>]',
        '    lxc snapshot create <instance_name> [<snapshot name>]',
      ],
      ['    lxc snapshot ‹instance name› ‹s›', '    lxc snapshot create ‹instance name› ‹s›'],
      [
        Buffer.from('lxc restore ‹i› ‹s›', 'utf8').toString('latin1'),
        Buffer.from('lxc snapshot restore ‹i› ‹s›', 'utf8').toString('latin1'),
      ],
      [
        '[`lxc config trust add <file>`](lxc_config_trust_add.md)',
        '[`lxc config trust add-certificate <file>`](lxc_config_trust_add.md)',
      ],
      ['lxc delete <instance_name>/<snapshot_name>', 'lxc snapshot delete <instance_name> <snapshot_name>'],
      // What stands between `<` and `>` in a script are two redirections.
      ['lxc snapshot c1 s0 <in >out', 'lxc snapshot create c1 s0 <in >out'],
      ['lxc snapshot <in >out', 'lxc snapshot <in >out'],
    ] as const;

    for (const [line, expected] of rows) expect(rewrite(line)).toBe(expected);
  });

  it('takes the value of an option for no argument, and leaves options where they are', () => {
    const { commands } = loadPack(lxdIncus);
    const rewrite = (line: string) => rewriteCommands(commands, line).line;
    const rows = [
      ['lxc storage volume snapshot --project p1 p v', 'lxc storage volume snapshot create --project p1 p v'],
      ['lxc --project foo snapshot  c1  s0', 'lxc --project foo snapshot create c1  s0'],
      ['lxc snapshot --stateful l1:c1', 'lxc snapshot create --stateful l1:c1'],
      ['lxc restore --project=p c1 s0', 'lxc snapshot restore --project=p c1 s0'],
      ['lxc delete --project p c1/s0 -f', 'lxc snapshot delete --project p c1 s0 -f'],
      ['lxc config trust add -q --name foo', 'lxc config trust add foo -q'],
      [
        'lxc config trust add --name foo --projects p "a.crt"',
        'lxc config trust add-certificate --name foo --projects p "a.crt"',
      ],
      // No certificate is named.
      ['lxc config trust add --projects p --restricted', 'lxc config trust add --projects p --restricted'],
      ['lxc snapshot --project p', 'lxc snapshot --project p'],
      ['lxc snapshot --project p list c1', 'lxc snapshot --project p list c1'],
      // Two snapshots are two commands.
      ['lxc delete c1/s0 c2/s0', 'lxc delete c1/s0 c2/s0'],
      ['lxc delete c1/s0 2>/dev/null # gone', 'lxc snapshot delete c1 s0 2>/dev/null # gone'],
    ] as const;

    for (const [line, expected] of rows) expect(rewrite(line)).toBe(expected);
  });

  it('names stable branches, whichever way commits go', () => {
    const pack = loadPack(lxdIncus);
    const both = [pack, reversePack(pack).pack];
    expect(both.map(({ info }) => info.stableBranches)).toEqual([['stable-'], ['stable-']]);
  });

  it('says where a path would go, and by which rule', () => {
    const explained = explainPath(loadPack(lxdIncus), 'lxd/db/node/update.go');
    expect(explained.to).toBe('internal/server/db/node/update.go');
    expect(explained.steps[0]).toContain('server-packages');
  });
});

describe('loadPack', () => {
  const refusal = (changes: Readonly<Record<string, string>>): string => {
    try {
      loadPack(tinyRules(changes));
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
    return 'nothing wrong';
  };

  it('loads a pack whose hash follows its content', () => {
    const one = loadPack(tinyRules());
    const two = loadPack(tinyRules({ 'skip.yaml': 'skip: []\n' }));
    expect(one.info.name).toBe('quartz-onyx');
    expect(one.hash).not.toBe(two.hash);
    expect(loadPack(tinyRules()).hash).toBe(one.hash);
  });

  it('refuses an unknown key and says what was perhaps meant', () => {
    const text = 'skip:\n  - { id: a, descripton: long enough to pass, files: [a] }\n';
    expect(refusal({ 'skip.yaml': text })).toMatch(
      /skip\[0\]\.descripton: unknown key; did you mean description\?/,
    );
  });

  it('refuses a misspelt key of the pair, and a stable branch without a name', () => {
    const pair = readFileSync(join(tinyRules(), 'pack.yaml'), 'utf8');
    const misspelt = refusal({ 'pack.yaml': `${pair}stableBranch: [stable-]\n` });
    const empty = refusal({ 'pack.yaml': `${pair}stableBranches: ['']\n` });
    expect(misspelt).toContain('stableBranch: unknown key; did you mean stableBranches?');
    expect(empty).toContain('stableBranches[0]: at least 1 characters are needed');
  });

  it('refuses a file with an unknown name', () => {
    expect(refusal({ 'skips.yaml': 'skip: []\n' })).toMatch(/skips\.yaml.*did you mean skip\.yaml/);
  });

  it('names line and column of broken YAML', () => {
    expect(refusal({ 'skip.yaml': 'skip: [\n' })).toMatch(/skip\.yaml: line \d+, column \d+/);
  });

  it('refuses two rules with one id, a wrong type and a wrong value', () => {
    const rule = '{ id: a, description: long enough to pass, files: [a] }';
    expect(refusal({ 'skip.yaml': `skip: [${rule}, ${rule}]\n` })).toMatch(
      /another rule in skip.yaml has this id/,
    );
    const sign = 'doubts: [{ id: a, description: long enough to pass, words: [x] }]\n';
    expect(refusal({ 'skip.yaml': `skip: [${rule}]\n`, 'doubts.yaml': sign })).toMatch(
      /doubts.yaml.*another rule in skip.yaml has this id/,
    );
    expect(refusal({ 'skip.yaml': 'skip: 5\n' })).toMatch(/a list is needed, not 5/);
    const merge = 'merge: [{ id: a, description: long enough to pass, files: [a], driver: unoin }]\n';
    expect(refusal({ 'merge.yaml': merge })).toMatch(/"unoin" is not known/);
  });

  it('refuses aliases that would explode', () => {
    const bomb =
      'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nskip: [*c,*c,*c]\n';
    expect(refusal({ 'skip.yaml': bomb })).toMatch(/alias/i);
  });

  it('refuses a folder that is not there', () => {
    expect(() => loadPack('/nonexistent/rules')).toThrow(/cannot be read \(ENOENT\)/);
  });
});

describe('checkPack', () => {
  const check = (text: string) =>
    checkPack(loadPack(tinyRules({ 'text.yaml': `protected: []\nwords:\n${text}` }))).filter(
      (error) => error.file === 'text.yaml',
    );

  it('finds an example that comes out differently', () => {
    const errors = check(
      '  - { id: a, description: long enough to pass, from: x, to: y, examples: [{ in: x, out: z }] }\n',
    );
    expect(errors[0]?.why).toContain('comes out differently');
  });

  it('finds a rule that can never apply', () => {
    const errors = check(
      '  - { id: a, description: long enough to pass, from: x, to: y, examples: [{ in: x, out: y }] }\n' +
        '  - { id: b, description: long enough to pass, from: xx, to: z, examples: [{ in: xx, out: z }] }\n',
    );
    expect(errors.map((error) => error.at)).toContain('b');
  });

  it('finds a loss that is not declared', () => {
    const errors = check(
      '  - { id: a, description: long enough to pass, from: x, to: y, examples: [{ in: x, out: y }] }\n' +
        '  - { id: b, description: long enough to pass, from: z, to: y, examples: [{ in: z, out: y }] }\n',
    );
    expect(errors[0]?.why).toContain('cannot be undone');
  });

  it('finds a rule that is not idempotent', () => {
    const errors = check(
      '  - { id: a, description: long enough to pass, from: x, to: xx, examples: [{ in: x, out: xx }] }\n',
    );
    expect(errors[0]?.why).toContain('changes it once more');
  });

  it('runs the examples of every kind of rule', () => {
    const results = runExamples(loadPack(tinyRules()));
    expect(new Set(results.map((result) => result.file))).toEqual(
      new Set(['paths.yaml', 'text.yaml', 'go.yaml']),
    );
    expect(results.every((result) => result.why === undefined)).toBe(true);
  });
});

describe('words', () => {
  it('limits a rule to its scopes, files and neighbours', () => {
    const rule = { id: 'r', description: '', from: 'qz', to: 'ox' } as const;
    const run = (text: string, more: object, scope: 'prose' | 'cli' = 'prose', path = 'a.md') => {
      const words = compileWords([{ ...rule, ...more }], []);
      return applySpans(
        text,
        words.match(text, path, () => scope),
      );
    };
    expect(run('qzed qz', { right: 'word' })).toBe('qzed ox');
    expect(run('qz', { scopes: ['cli'] })).toBe('qz');
    expect(run('qz', { scopes: ['cli'] }, 'cli')).toBe('ox');
    expect(run('qz', { files: ['doc/**'] })).toBe('qz');
    expect(run('bin.qz', { left: ['bin.'] })).toBe('bin.ox');
  });

  it('takes every character of a rule literally', () => {
    const words = compileWords([{ id: 'r', description: '', from: '(a+)+$', to: 'x' }], []);
    const text = `${'a'.repeat(5000)} (a+)+$`;
    expect(
      applySpans(
        text,
        words.match(text, 'a', () => 'prose'),
      ),
    ).toBe(`${'a'.repeat(5000)} x`);
  });
});

describe('matchesGlob', () => {
  it('matches within names by * and across folders by **', () => {
    expect(matchesGlob('po/*', 'po/de.po')).toBe(true);
    expect(matchesGlob('po/*', 'po/a/de.po')).toBe(false);
    expect(matchesGlob('**/wordlist.txt', 'doc/x/wordlist.txt')).toBe(true);
    expect(matchesGlob('doc/**', 'doc/a/b')).toBe(true);
    expect(matchesGlob('*.md', 'a.mdx')).toBe(false);
  });

  it('answers at once on patterns that make naive matchers explode', () => {
    const pattern = Array.from({ length: 30 }, () => '**/*a*a*a').join('/');
    expect(matchesGlob(pattern, Array.from({ length: 60 }, () => 'aaaaaaaaaaaaaaaaab').join('/'))).toBe(
      false,
    );
  });
});

describe('withoutRule and reversePack', () => {
  it('takes one rule out, and knows when there is none', () => {
    const pack = loadPack(tinyRules());
    expect(withoutRule(pack, 'client').words.map((rule) => rule.id)).not.toContain('client');
    expect(() => withoutRule(pack, 'cliend')).toThrow(/did you mean client/);
  });

  it('turns words around, and declares what cannot be', () => {
    const { pack, losses } = reversePack(loadPack(lxdIncus));
    const words = compileWords(pack.words, pack.protected);
    const back = (text: string) =>
      applySpans(
        text,
        words.match(text, 'a.md', () => 'prose'),
      );
    expect(back('the Incus server in INCUS_DIR')).toBe('the LXD server in LXD_DIR');
    expect(losses.join()).toContain('client-command');
    expect(pack.paths.some((rule) => rule.from === 'internal/server/' && rule.to === 'lxd/')).toBe(true);
  });
});
