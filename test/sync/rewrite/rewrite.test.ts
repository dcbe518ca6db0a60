import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignLines } from '../../../src/sync/rewrite/align.ts';
import { compileBrand } from '../../../src/sync/rewrite/brand.ts';
import { createEvidence } from '../../../src/sync/rewrite/evidence.ts';
import { createLineStore } from '../../../src/sync/rewrite/line-store.ts';
import { findPhrases, learnPhrases } from '../../../src/sync/rewrite/phrases.ts';
import { matchingBlocks, replacements, similarity } from '../../../src/sync/rewrite/similarity.ts';
import { tokenize, tokenizeQuoted } from '../../../src/sync/rewrite/tokens.ts';
import {
  createTranslator,
  spellingKey,
  type TranslatorContext,
} from '../../../src/sync/rewrite/translate.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { compileWords } from '../../../src/sync/rules/words.ts';

const pack = loadPack(join(import.meta.dirname, '..', '..', '..', 'rules', 'lxd-incus'));
const brand = compileBrand(pack);
const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });

describe('tokens and lines', () => {
  it('lose nothing: tokens join to the line, lines join to the text', () => {
    const store = createLineStore(brand.foldLine);
    fc.assert(
      fc.property(bytes, (text) => {
        expect(tokenize(text).join('')).toBe(text);
        expect(tokenizeQuoted(text).join('')).toBe(text);
        expect(store.join(store.split(text))).toBe(text);
      }),
    );
  });

  it('keep a qualified Go name in one token', () => {
    expect(tokenize('x := shared.RunCommand(a.b)')).toContain('shared.RunCommand');
  });
});

describe('similarity', () => {
  it('finds blocks that are equal, in order and apart', () => {
    const tokens = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
    fc.assert(
      fc.property(tokens, tokens, (a, b) => {
        let [i, j] = [0, 0];
        for (const block of matchingBlocks(a, b)) {
          expect(a.slice(block.a, block.a + block.length)).toEqual(b.slice(block.b, block.b + block.length));
          expect(block.a >= i && block.b >= j).toBe(true);
          i = block.a + block.length;
          j = block.b + block.length;
        }
        expect(similarity(a, a)).toBe(1);
      }),
    );
  });

  it('keeps the longest run, so that one word can become two', () => {
    const parts = replacements(tokenize('lxd init'), tokenize('incus admin init'));
    expect(parts[0]).toMatchObject({ kind: 'replace', aStart: 0, aEnd: 1, bStart: 0, bEnd: 3 });
  });
});

describe('brand', () => {
  it('folds what the fork renamed and nothing else', () => {
    const fold = (line: string) => brand.foldLine(line, 'go');
    expect(fold('\treturn shared.StringInSlice(lxd)')).toBe(fold('\t return util.ValueInSlice(incus)'));
    expect(fold('an Incus server')).toBe(fold('a LXD server'));
    expect(fold('one')).not.toBe(fold('two'));
  });

  it('tells a rename from another edit', () => {
    expect(brand.plausible('lxdParseResponse', 'incusParseResponse')).toBe(true);
    expect(brand.plausible('lxd', 'incus admin')).toBe(true);
    expect(brand.plausible('LXD', 'INCUS')).toBe(false);
    expect(brand.plausible('shared.RunCommand', 'subprocess.RunCommand')).toBe(true);
  });
});

describe('evidence', () => {
  it('knows a word best in the surroundings in which it saw it', () => {
    const evidence = createEvidence(brand);
    evidence.learn('run lxd init now', 'run incus admin init now');
    evidence.learn('the lxd daemon', 'the incusd daemon');
    const tokens = tokenize('the lxd daemon');
    expect(evidence.find(tokens, 2, { from: 0, to: 5 })).toMatchObject({ value: 'incusd', level: 0 });
    expect(evidence.find(tokenize('other words'), 0, { from: 0, to: 6 })).toBeUndefined();
  });

  it('learns a call with the places of its arguments, and no call that takes other values', () => {
    const find = (name: string, ...lines: readonly (readonly [string, string])[]) => {
      const evidence = createEvidence(brand);
      for (const [before, after] of lines) evidence.learn(before, after);
      return evidence.find([name], 0, { from: 6, to: 6 });
    };
    const turned = find('shared.StringInSlice', [
      '\tif shared.StringInSlice(key, []string{"a", "b"}) {',
      '\tif slices.Contains([]string{"a", "b"}, key) {',
    ]);
    const straight = find('shared.Run', [
      '\tshared.Run(a, shared.Join(b, c))',
      '\tutil.Run(a, util.Join(b, c))',
    ]);
    const other = find('shared.Run', ['\tshared.Run(a, b)', '\tutil.Run(c, a, b)']);
    const begun = find('shared.Run', ['\tshared.Run(a, func() {', '\tutil.Run(a, func() {']);

    expect(turned).toMatchObject({ value: 'slices.Contains', order: [1, 0] });
    expect(straight).toMatchObject({ value: 'util.Run' });
    expect(straight?.order).toBeUndefined();
    expect(other).toBeUndefined();
    expect(begun).toMatchObject({ value: 'util.Run' });
  });

  it('shows an asker only what the asker may see', () => {
    const evidence = createEvidence(brand);
    evidence.learn('the lxd one', 'the incus one', 1);
    evidence.learn('the lxd one', 'the incusd one', 2);
    const look = (newest: number) =>
      evidence.find(tokenize('the lxd one'), 2, { from: 0, to: 0, visible: (order) => order <= newest })
        ?.value;
    expect(look(1)).toBe('incus');
    expect(look(0)).toBeUndefined();
  });
});

describe('alignLines', () => {
  it('pairs renamed lines exactly and changed ones by likeness', () => {
    const store = createLineStore(brand.foldLine);
    const upstream = store.split('a LXD server\nsome words about one thing\nend');
    const fork = store.split('an Incus server\nsome words about another thing\nend');
    const alignment = alignLines(store, upstream, fork, 'text');
    expect([...alignment.exact]).toEqual([0, -1, 2]);
    expect(alignment.alike.get(1)).toBe(1);
  });
});

describe('phrases', () => {
  it('carry the word for the project from one line to another that says the same', () => {
    const learned = learnPhrases('// URL that LXD will add to it', '// URL that Incus will add to it', 'LXD');
    const [phrase] = findPhrases('"desc": "URL that LXD will add to it"', 'LXD');
    expect(learned.find(({ key }) => key.endsWith('will add to'))?.value).toBe('Incus');
    expect(phrase?.key.endsWith('will add to')).toBe(true);
  });
});

describe('translator', () => {
  const context: TranslatorContext = {
    path: 'doc/a.md',
    kind: 'doc',
    brand,
    words: compileWords(pack.words, pack.protected),
    file: undefined,
    neighbours: undefined,
    memory: undefined,
    renamed: false,
    symbol: undefined,
    qualifiers: new Set(),
    paths: new Map(),
    name: 'LXD',
  };

  it('falls back on the rules, articles with them', () => {
    const { text, choices } = createTranslator(context).translate('a LXD server, a `lxc` command');
    expect(text).toBe('an Incus server, an `incus` command');
    expect(choices.map((choice) => choice.origin)).toContain('rule');
  });

  it('lets what the fork does in this file overrule the rules', () => {
    const evidence = createEvidence(brand);
    evidence.learn('about the LXD server', 'about the LXD server');
    const translator = createTranslator({ ...context, file: { evidence, lines: new Map() } });
    expect(translator.translate('see the LXD server').text).toBe('see the LXD server');
  });

  it('lets a rule win over a name that stayed far from here, once the whole fork was renamed', () => {
    const evidence = createEvidence(brand);
    evidence.learn('kept by LXD itself', 'kept by LXD itself');
    const file = { evidence, lines: new Map() };
    const early = { ...context, path: 'lxd/a.go', kind: 'go', file, renamed: true } as const;

    const before = createTranslator(early).translate('// What LXD does.').text;
    const since = createTranslator({ ...early, throughout: true }).translate('// What LXD does.').text;
    const near = createTranslator({ ...early, throughout: true }).translate('kept by LXD itself').text;

    expect(before).toBe('// What LXD does.');
    expect(since).toBe('// What Incus does.');
    // In the very same surroundings the fork's own text goes before all rules.
    expect(near).toBe('kept by LXD itself');
  });

  it('takes an address of a server for no path, though upstream has such a folder', () => {
    const paths = new Map([['lxd/1.0', 'cmd/incusd/1.0']]);
    const translator = createTranslator({ ...context, path: 'test/a.sh', kind: 'shell', paths });
    expect(translator.translate('curl -H "A: b" "lxd/1.0" | jq').text).toBe(
      'curl -H "A: b" "incus/1.0" | jq',
    );
  });

  it('puts the arguments of a call where the call of the fork takes them', () => {
    const evidence = createEvidence(brand);
    evidence.learn('\tif shared.StringInSlice(key, list) {', '\tif slices.Contains(list, key) {');
    const file = { evidence, lines: new Map() };
    const go = { ...context, path: 'lxd/a.go', kind: 'go', file, qualifiers: new Set(['shared']) } as const;
    const translate = (line: string) => createTranslator(go).translate(line).text;

    expect(translate('\tif !shared.StringInSlice(r.Header.Get("A, B"), []string{"x", "y"}) {')).toBe(
      '\tif !slices.Contains([]string{"x", "y"}, r.Header.Get("A, B")) {',
    );
    expect(translate('\treturn shared.StringInSlice(shared.StringInSlice(a, b), c)')).toBe(
      '\treturn slices.Contains(c, slices.Contains(b, a))',
    );
    // A call that goes on in the next line keeps its name, and the fork's lack of it is named.
    expect(translate('\tshared.StringInSlice(key,')).toBe('\tshared.StringInSlice(key,');
  });

  it('takes commands with the arguments of the fork, then puts their words into its own', () => {
    const script = { ...context, path: 'test/a.sh', kind: 'shell', commands: pack.commands } as const;
    const translate = (line: string) => createTranslator(script).translate(line).text;

    expect(translate('lxc storage volume snapshot p vol1 snap0')).toBe(
      'incus storage volume snapshot create p vol1 snap0',
    );
    expect(createTranslator({ ...script, commands: [] }).translate('lxc snapshot c1').text).toBe(
      'incus snapshot c1',
    );
  });

  it('spells a word of a new line as the file does throughout, and leaves paths alone', () => {
    const evidence = createEvidence(brand);
    const spellings = new Map([[spellingKey(['go', ' '], 0), '$(GO)']]);
    const file = { evidence, lines: new Map(), spellings };
    const make = { ...context, path: 'Makefile', kind: 'other', file } as const;
    const translate = (line: string) => createTranslator(make).translate(line).text;

    expect(translate('\tgo build ./x/go ; go vet')).toBe('\t$(GO) build ./x/go ; $(GO) vet');
    expect(translate('\tcat go.mod a/go b')).toBe('\tcat go.mod a/go b');
  });

  it('lets the scripts beside a script decide before what it has in other surroundings', () => {
    const evidence = createEvidence(brand);
    evidence.learn('name="lxd$$"', 'name="inc$$"');
    const file = { evidence, lines: new Map() };
    const script = { ...context, path: 'test/a.sh', kind: 'shell', file } as const;
    const beside = (tokens: readonly string[], index: number) =>
      tokens[index - 2] === 'netdev' ? 'incus' : undefined;

    const alone = createTranslator(script).translate('nft list chain netdev lxd x').text;
    const between = createTranslator({ ...script, beside }).translate('nft list chain netdev lxd x').text;

    expect(alone).toBe('nft list chain netdev inc x');
    expect(between).toBe('nft list chain netdev incus x');
    // How the name is written in a sentence the rules know better.
    expect(createTranslator({ ...script, beside: () => 'incus' }).translate('# what LXD makes').text).toBe(
      '# what Incus makes',
    );
  });

  it('goes with the new name of the file where text names the file itself', () => {
    const own = { from: 'dev-lxd', to: 'dev-incus' };
    const evidence = createEvidence(brand);
    evidence.learn('about the lxd command', 'about the lxd command');
    const translator = createTranslator({ ...context, own, file: { evidence, lines: new Map() } });
    expect(translator.translate('(dev-lxd)=').text).toBe('(dev-incus)=');
    expect(translator.translate('my-dev-lxd of the lxd command').text).toBe('my-dev-lxd of the lxd command');
  });

  it('puts paths where the fork has them', () => {
    const paths = new Map([['lxd/auth/model.go', 'internal/server/auth/model.go']]);
    const translator = createTranslator({ ...context, path: 'test/a.sh', kind: 'shell', paths });
    expect(translator.translate('f="lxd/auth/model.go"').text).toBe('f="internal/server/auth/model.go"');
  });

  it('takes `./` and a name for a path, and a folder that a word became for none within another path', () => {
    const evidence = createEvidence(brand);
    evidence.learn('\tgo build ./lxc', '\tgo build ./cmd/incus');
    const context_ = {
      ...context,
      path: 'Makefile',
      kind: 'other',
      file: { evidence, lines: new Map() },
    } as const;
    const translator = createTranslator({ ...context_, paths: new Map([['lxd', 'cmd/incusd']]) });

    expect(translator.translate('\tgo build ./lxd ./lxd-user').text).toBe(
      '\tgo build ./cmd/incusd ./incus-user',
    );
    expect(translator.translate('\tgo build -v ./lxc').text).toBe('\tgo build -v ./cmd/incus');
    expect(translator.translate('\tgo build -o bin/lxc.x86_64').text).toBe('\tgo build -o bin/incus.x86_64');
  });

  it('asks addresses what an address begins with, and no other word behind a quote', () => {
    const evidence = createEvidence(brand);
    for (const name of ['a', 'b', 'c']) evidence.learn(`${name}="lxd$$"`, `${name}="inc$$"`);
    const file = { evidence, lines: new Map() };
    const translator = createTranslator({ ...context, path: 'test/a.sh', kind: 'shell', file });

    expect(translator.translate('curl -X PUT "lxd/1.0/cluster"').text).toBe(
      'curl -X PUT "incus/1.0/cluster"',
    );
    expect(translator.translate('d="lxd$$"').text).toBe('d="inc$$"');
  });

  it('says of a link by what its label was spelt', () => {
    const evidence = createEvidence(brand);
    evidence.learn('see [`lxc launch`](a.md)', 'see [`incus launch`](a.md)');
    const translator = createTranslator({ ...context, file: { evidence, lines: new Map() } });

    const { text, choices } = translator.translate('see [`lxc init`](lxc_init.md)');

    expect(text).toBe('see [`incus init`](incus_init.md)');
    expect(choices.map(({ upstream, fork, origin }) => [upstream, fork, origin])).toEqual([
      ['lxc', 'incus', 'file'],
      ['lxc_init', 'incus_init', 'file'],
    ]);
  });

  it('names the page of a command as the label of the link names the command', () => {
    const evidence = createEvidence(brand);
    evidence.learn(
      'see [`lxc launch`](lxc_launch.md) for more',
      'see [`lxc launch`](lxc_launch.md) for more',
    );
    const stayed = createTranslator({ ...context, file: { evidence, lines: new Map() } });
    const renamed = createTranslator(context);
    const line = 'see [`lxc init`](lxc_init.md) for more';

    expect(stayed.translate(line).text).toBe(line);
    expect(renamed.translate(line).text).toBe('see [`incus init`](incus_init.md) for more');
    expect(renamed.translate('see [`lxc --help`](other.md)').text).toBe('see [`incus --help`](other.md)');
  });

  it('changes nothing in a line without a telling word', () => {
    fc.assert(
      fc.property(
        fc.string().filter((line) => !/lx[cd]/i.test(line)),
        (line) => {
          expect(createTranslator(context).translate(line).text).toBe(line);
        },
      ),
    );
  });
});
