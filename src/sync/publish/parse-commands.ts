// Reads `/sync …` lines out of a comment that a person wrote.
import { suggest } from '../../core/suggest.ts';

export type Command =
  | { readonly verb: 'retry' }
  | { readonly verb: 'skip'; readonly sha: string; readonly reason: string }
  /** `fork`: the fork commit in which a person did it by hand. */
  | { readonly verb: 'take'; readonly sha: string; readonly fork: string | undefined }
  | { readonly verb: 'park'; readonly sha: string; readonly reason: string }
  | { readonly verb: 'rule'; readonly from: string; readonly to: string }
  | { readonly verb: 'explain'; readonly sha: string };

export type ParsedCommand =
  | { readonly line: string; readonly command: Command }
  | { readonly line: string; readonly mistake: string };

const verbs = ['retry', 'skip', 'take', 'park', 'rule', 'explain'] as const;
const shaWord = /^[0-9a-f]{7,40}$/;
/** More in one comment is a mistake or an attack. */
const mostCommands = 20;
const longestLine = 2000;

/** Commands stand at the start of a line of the comment's own text: not in quotes, not in code. */
export function parseCommands(body: string): readonly ParsedCommand[] {
  const found: ParsedCommand[] = [];
  let fence: string | undefined;
  for (const line of body.split(/\r?\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined) {
      if (fence === undefined) fence = mark;
      else if (mark.startsWith(fence)) fence = undefined;
      continue;
    }
    if (fence !== undefined || !/^\/sync(?:[ \t]|$)/.test(line)) continue;
    found.push(parseLine(line.slice(0, longestLine).trimEnd()));
    if (found.length === mostCommands) break;
  }
  return found;
}

function parseLine(line: string): ParsedCommand {
  const [, verb = '', rest = ''] = /^\/sync\s*(\S*)\s*(.*)$/.exec(line) ?? [];
  const [first = '', ...others] = rest.split(/\s+/);
  const more = others.join(' ');
  const needsSha = { line, mistake: 'the sha of an upstream commit is needed, at least 7 digits of it' };
  const sha = first.toLowerCase();
  switch (verb) {
    case 'retry':
      return rest === '' ? { line, command: { verb } } : { line, mistake: 'retry takes nothing more' };
    case 'skip':
      if (!shaWord.test(sha)) return needsSha;
      if (more === '') return { line, mistake: 'a reason is needed: /sync skip SHA REASON' };
      return { line, command: { verb, sha, reason: more } };
    case 'park':
      if (!shaWord.test(sha)) return needsSha;
      return { line, command: { verb, sha, reason: more } };
    case 'take': {
      if (!shaWord.test(sha)) return needsSha;
      const fork = more === '' ? undefined : more.toLowerCase();
      if (fork !== undefined && !shaWord.test(fork))
        return { line, mistake: 'after the upstream commit only the sha of the fork commit can stand' };
      return { line, command: { verb, sha, fork } };
    }
    case 'explain':
      if (!shaWord.test(sha)) return needsSha;
      return more === '' ? { line, command: { verb, sha } } : { line, mistake: 'explain takes one sha' };
    case 'rule': {
      const [from = '', to, extra] = rest.split(/\s+=>\s+/);
      if (from.trim() === '' || to === undefined || to.trim() === '' || extra !== undefined)
        return { line, mistake: 'a rule is written as: /sync rule TEXT => TEXT' };
      return { line, command: { verb, from: from.trim(), to: to.trim() } };
    }
    default:
      return { line, mistake: `there is no such command${suggest(verb, verbs)}` };
  }
}
