import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommands } from '../../../src/sync/publish/parse-commands.ts';
import { anyText } from '../../any-text.ts';

const commandOf = (body: string) =>
  parseCommands(body).map((parsed) => ('command' in parsed ? parsed.command : parsed.mistake));

describe('commands in a comment', () => {
  it.each([
    ['/sync retry', { verb: 'retry' }],
    [
      '/sync skip 1234567 docs of the snap only',
      { verb: 'skip', sha: '1234567', reason: 'docs of the snap only' },
    ],
    ['/sync take 1234567', { verb: 'take', sha: '1234567', fork: undefined }],
    ['/sync take 1234567 ABCDEF1', { verb: 'take', sha: '1234567', fork: 'abcdef1' }],
    ['/sync park 1234567', { verb: 'park', sha: '1234567', reason: '' }],
    ['/sync rule lxd-agent => incus-agent', { verb: 'rule', from: 'lxd-agent', to: 'incus-agent' }],
    ['/sync explain 1234567', { verb: 'explain', sha: '1234567' }],
  ])('reads %s', (line, command) => {
    expect(commandOf(line)).toEqual([command]);
  });

  it('reads one a line among other words, with line ends of any kind', () => {
    expect(commandOf('Thanks!\r\n/sync retry\r\nand\n/sync park 1234567\n')).toEqual([
      { verb: 'retry' },
      { verb: 'park', sha: '1234567', reason: '' },
    ]);
  });

  it.each([
    ['quoted', '> /sync retry'],
    ['pushed in', '    /sync retry'],
    ['in a line', 'say /sync retry'],
    ['in a fence', '```\n/sync retry\n```'],
    ['in a fence that is never closed', '~~~\n/sync retry'],
    ['of another bot', '/synchronise retry'],
  ])('does not read what is %s', (_, body) => {
    expect(parseCommands(body)).toEqual([]);
  });

  it.each([
    ['/sync', /no such command/],
    ['/sync skp 1234567 x', /did you mean skip/],
    ['/sync skip 1234567', /a reason is needed/],
    ['/sync skip all of it', /sha of an upstream commit/],
    ['/sync take 1234567 --force', /sha of the fork commit/],
    ['/sync rule a', /TEXT => TEXT/],
    ['/sync rule a => b => c', /TEXT => TEXT/],
    ['/sync explain 1234567 1234568', /one sha/],
    ['/sync retry now', /nothing more/],
  ])('says what is wrong with %s', (line, mistake) => {
    expect(commandOf(line)).toEqual([expect.stringMatching(mistake)]);
  });

  it('takes any text, and no more than twenty commands of it', () => {
    fc.assert(fc.property(anyText, (text) => parseCommands(`/sync ${text}`).length <= 20));
    expect(parseCommands('/sync retry\n'.repeat(1000))).toHaveLength(20);
  });
});
