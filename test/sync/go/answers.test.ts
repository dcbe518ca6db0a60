import { describe, expect, it } from 'vitest';
import { createAnswers, type Progress } from '../../../src/sync/go/answers.ts';

describe('answers', () => {
  const start = (): Progress => ({ misses: 0, round: 1 });

  it('that hang on nothing unread are found once', () => {
    const progress = start();
    const answers = createAnswers<string, number>(progress);
    let made = 0;
    const ask = () => answers.find('a', () => (made += 1));

    ask();
    progress.round += 1;

    expect([ask(), made]).toEqual([1, 1]);
  });

  it('that hang on an unread file are found again in the next round, not in this one', () => {
    const progress = start();
    const answers = createAnswers<string, string>(progress);
    let read: string | undefined;
    const ask = () =>
      answers.find('a', () => {
        if (read === undefined) progress.misses += 1;
        return read ?? 'unknown';
      });

    const inFirstRound = [ask(), ask()];
    read = 'string';
    progress.round += 1;
    const inSecondRound = ask();
    read = 'int';
    progress.round += 1;

    expect([...inFirstRound, inSecondRound, ask()]).toEqual(['unknown', 'unknown', 'string', 'string']);
  });

  it('that are made of a waiting one wait as well', () => {
    const progress = start();
    const inner = createAnswers<string, number>(progress);
    const outer = createAnswers<string, number>(progress);
    let read = false;
    const askInner = () =>
      inner.find('a', () => {
        if (!read) progress.misses += 1;
        return read ? 2 : 0;
      });
    askInner();

    const before = outer.find('b', () => askInner() + 1);
    read = true;
    progress.round += 1;

    expect([before, outer.find('b', () => askInner() + 1)]).toEqual([1, 3]);
  });
});
