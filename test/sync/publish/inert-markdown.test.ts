import fc from 'fast-check';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { describe, expect, it } from 'vitest';
import {
  inertBlock,
  inertCell,
  inertCode,
  inertDiff,
  inertTitle,
} from '../../../src/sync/publish/inert-markdown.ts';
import { anyText } from '../../any-text.ts';

/** As GitHub renders a comment; dangerous things are kept, so that they would be seen. */
function render(markdown: string): string {
  return micromark(markdown, {
    allowDangerousHtml: true,
    allowDangerousProtocol: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
}

/** What is left to GitHub's filters of mentions and references: the rendered text outside code. */
function outsideCode(html: string): string {
  return html.replace(/<code[^>]*>[^<]*<\/code>/g, '<code/>');
}

const hostile: readonly (readonly [string, string])[] = [
  ['a mention', 'thanks @stgraber'],
  ['a mention of a team', '@lxc/maintainers'],
  ['a mention after a backslash', '\\@stgraber'],
  ['a reference', 'see #123 and GH-123'],
  ['a reference elsewhere', 'canonical/lxd#4 canonical/lxd@1234567890'],
  ['a link to an issue', 'https://github.com/canonical/lxd/issues/1'],
  ['a closing keyword', 'Fixes #1, closes canonical/lxd#2'],
  ['a command of ours', '/sync take 1234567890'],
  ['a command of other bots', '/lgtm\n/approve'],
  ['HTML', '<img src=x onerror=alert(1)><script>alert(1)</script>'],
  ['the end of what is folded', '</details></summary></td></table>'],
  ['a hidden marker', '<!-- fork-sync plan 1 0123456789abcdef -->'],
  ['the end of a comment', '--> <b>'],
  ['a table', '| a | b |\n|---|---|\n| c | d |'],
  ['bars', 'a | b || c \\| d'],
  ['a backslash at the end', 'a\\'],
  ['backticks', '`a` ``b`` ```c```'],
  ['nothing but backticks', '```'],
  ['a fence', '```\n@stgraber\n```'],
  ['a fence of tildes', '~~~\n@stgraber'],
  ['a heading and a list', '# A\n- [ ] b\n1. c'],
  ['a link and an image', '[a](javascript:alert(1)) ![b](http://x/y.png)'],
  ['an automatic link', '<http://example.org> www.example.org me@example.org'],
  ['an entity', '&commat;stgraber &#64;stgraber'],
  ['mathematics and emoji', '$x$ :tada:'],
  ['escapes of a terminal', '\u001b[31mred\u001b]0;title\u0007'],
  ['a change of direction', 'a\u202eb'],
  ['blanks only', ' \t '],
];

describe('foreign text in a comment', () => {
  it.each(hostile)('does nothing: %s', (_, text) => {
    const cell = render(`| a | b |\n|---|---|\n| ${inertCell(text)} | end |\n`);
    const block = render(
      `<details><summary>x</summary>\n\n${inertBlock(text.split('\n'))}\n\n</details>\n\nend`,
    );

    expect(outsideCode(cell).replace(/\s+/g, '')).toBe(
      '<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td><code/></td><td>end</td></tr></tbody></table>',
    );
    expect(outsideCode(block).replace(/\s+/g, '')).toBe(
      '<details><summary>x</summary><pre><code/></pre></details><p>end</p>',
    );
  });

  it('does nothing, whatever it is', () => {
    const pieces = fc.constantFrom(...hostile.map(([, text]) => text));
    const text = fc.array(fc.oneof(anyText, pieces), { maxLength: 4 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (foreign) => {
        const cell = render(`| a | b |\n|---|---|\n| ${inertCell(foreign)} | end |\n`);
        expect(outsideCode(cell)).toContain('<td><code/></td>\n<td>end</td>');
        expect(outsideCode(render(`- ${inertCode(foreign)}: end`)).replace(/\s+/g, '')).toBe(
          '<ul><li><code/>:end</li></ul>',
        );
        for (const block of [inertBlock(foreign.split('\n')), inertDiff(foreign.split('\n'))])
          expect(outsideCode(render(`${block}\n\nend`)).replace(/\s+/g, '')).toBe(
            '<pre><code/></pre><p>end</p>',
          );
      }),
    );
  });

  it('shows what was written', () => {
    expect(render(inertCode('a `b` | c'))).toContain('a `b` ');
    expect(render(`| x |\n|---|\n| ${inertCell('a | <b>')} |`)).toContain('<code>a | &lt;b&gt;</code>');
  });

  it('never begins a line of a block with what is foreign, so that no bot reads a command there', () => {
    for (const [, text] of hostile)
      for (const line of [
        ...inertBlock(text.split('\n')).split('\n'),
        ...inertDiff(text.split('\n')).split('\n'),
      ])
        expect(line).toMatch(/^(?:`{3,}|[ +@-])/);
  });
});

describe('foreign text in a title', () => {
  const acts =
    /@[\w-]|#\d|gh-\d|:\/\/|\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b|\b[0-9a-f]{7,}\b|^\/\S|[\u0000-\u001f\u202e]/i;

  it.each(hostile)('does nothing: %s', (_, text) => {
    expect(inertTitle(text)).not.toMatch(acts);
  });

  it('does nothing, whatever it is, and is never longer than it may be', () => {
    const pieces = fc.constantFrom(...hostile.map(([, text]) => text));
    fc.assert(
      fc.property(fc.array(fc.oneof(anyText, pieces)), (parts) => {
        const title = inertTitle(parts.join(''));
        expect(title).not.toMatch(acts);
      }),
    );
    expect(inertTitle('x'.repeat(100_000)).length).toBeLessThan(256);
  });

  it('still reads as it was', () => {
    expect(inertTitle('lxd: Fixes #1 for @me').replaceAll('\u2060', '')).toBe('lxd: Fixes #1 for @me');
  });
});
