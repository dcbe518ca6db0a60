import { describe, expect, it } from 'vitest';
import type { Fault } from '../../fakes/github/github-stand-in.ts';
import { onGitHub, type Scene } from './on-github.ts';

const wanted = {
  repository: 'mine/onyx',
  headRepository: 'mine/onyx',
  base: 'main',
  branch: 'night',
  title: 'Commits of a night',
  body: 'What this is.',
  draft: false,
  evenIfClosed: false,
};
const issue = {
  repository: 'mine/onyx',
  topic: 'status',
  title: 'State',
  body: 'All is well.',
  labels: ['sync'],
};
const createPull = 'POST /repos/{owner}/{repo}/pulls';
const createComment = 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments';
const createIssue = 'POST /repos/{owner}/{repo}/issues';

async function withPull(options = {}): Promise<Scene> {
  const scene = await onGitHub(options);
  await scene.open().forge.ensurePullRequest(wanted);
  return scene;
}

const thread = { repository: 'mine/onyx', number: 1 };

describe('the forge on GitHub', () => {
  it('opens a pull request once, and makes no call that writes when all is as it should be', async () => {
    const scene = await onGitHub();

    const first = await scene.open().forge.ensurePullRequest({ ...wanted, draft: true });
    const before = scene.github.writes().length;
    const second = await scene.open().forge.ensurePullRequest(wanted);

    expect(first).toMatchObject({
      outcome: 'created',
      value: { number: 1, draft: true, head: scene.sha('night') },
    });
    expect(second.outcome).toBe('unchanged');
    expect(scene.github.writes().length).toBe(before);
  });

  it('edits title and text in place, and leaves what people wrote over them', async () => {
    const scene = await withPull();
    const edited = await scene.open().forge.ensurePullRequest({ ...wanted, title: 'Two commits' });
    const [pull] = scene.github.threads;
    if (pull !== undefined) pull.body += '\nA person was here.';

    const kept = await scene.open().forge.ensurePullRequest({ ...wanted, title: 'Three commits' });

    expect(edited.outcome).toBe('updated');
    expect(kept.outcome).toBe('unchanged');
    expect(pull).toMatchObject({ title: 'Two commits', body: expect.stringContaining('A person was here.') });
  });

  it('takes a closed pull request as an answer, and a merged one as the end of that run', async () => {
    const scene = await withPull();
    const [pull] = scene.github.threads;
    if (pull?.pull === undefined) throw new Error('no pull request');
    scene.github.shut(pull.number);

    const declined = await scene.open().forge.ensurePullRequest(wanted);
    const asked = await scene.open().forge.ensurePullRequest({ ...wanted, evenIfClosed: true });

    expect(declined).toMatchObject({ outcome: 'declined', value: { number: 1, state: 'closed' } });
    expect(asked).toMatchObject({ outcome: 'created', value: { number: 2 } });
  });

  it('tells by the order of what happened which comments came after it was closed', async () => {
    const scene = await withPull({ pageSize: 2 });
    const say = (): number => scene.github.say(1, 'mia', 'Hm.').id;
    const before = [say(), say()];
    scene.github.shut(1);
    const after = [say(), say(), say()];

    const since = await scene.open().forge.commentsSinceClosed(thread);
    scene.github.shut(1);
    const none = await scene.open().forge.commentsSinceClosed(thread);

    expect(before.length + after.length).toBe(5);
    expect([...since]).toEqual(after);
    expect([...none]).toEqual([]);
  });

  it.each<[string, Fault['kind']]>([
    ['a 502 before the write', 'bad-gateway'],
    ['a 502 after the write', 'bad-gateway-after'],
    ['a reply that got lost after the write', 'lost-reply'],
    ['422 since another was faster', 'done-by-another'],
    ['the secondary rate limit', 'secondary-limit'],
    ['the rate limit', 'rate-limit'],
  ])('makes nothing twice: %s', async (_, kind) => {
    const scene = await onGitHub();
    scene.github.faults.push({ kind, route: createPull, times: 1 });
    // GitHub takes a second comment or issue with the same text: for these, nobody is ever faster.
    const other = kind === 'done-by-another' ? 'bad-gateway-after' : kind;
    scene.github.faults.push({ kind: other, route: createIssue, times: 1 });
    scene.github.faults.push({ kind: other, route: createComment, times: 1 });
    const { forge } = scene.open();

    await forge.ensurePullRequest(wanted);
    await forge.ensureIssue(issue);
    await forge.ensureComments(thread, 'plan', ['One.', 'Two.']);

    expect(scene.github.threads.map(({ title }) => title)).toEqual([wanted.title, issue.title]);
    expect(scene.github.threads[0]?.comments.map(({ body }) => body.split('\n')[1])).toEqual([
      'One.',
      'Two.',
    ]);
    expect(scene.github.faults.map(({ times }) => times)).toEqual([0, 0, 0]);
  });

  it('gives up on a gateway that stays broken, and says that the same command goes on', async () => {
    const scene = await onGitHub();
    scene.github.faults.push({ kind: 'bad-gateway', route: createPull, times: 99 });
    await expect(scene.open().forge.ensurePullRequest(wanted)).rejects.toMatchObject({
      problem: { code: 'forge-failed', status: 502 },
      message: expect.stringContaining('goes on where it stopped'),
    });
  });

  it('does not wait for a limit longer than it may: the run is to be resumed', async () => {
    const scene = await onGitHub();
    scene.github.faults.push({ kind: 'rate-limit', route: createPull, times: 99 });
    await expect(scene.open({ longestWait: 5 }).forge.ensurePullRequest(wanted)).rejects.toMatchObject({
      problem: { code: 'forge-limit' },
      exitCode: 5,
    });
  });

  it.each([3600, -3600])('waits by the forge’s clock, which is %i s off', async (clockAhead) => {
    const scene = await onGitHub({ clockAhead });
    scene.github.faults.push({ kind: 'rate-limit', route: createPull, times: 1 });
    const waits: string[] = [];
    await scene.open({ waits }).forge.ensurePullRequest(wanted);
    const seconds = Number(waits[0]?.replace('the rate limit: ', ''));
    expect(seconds).toBeGreaterThan(50);
    expect(seconds).toBeLessThan(80);
  });

  it('finds its comments on any page, among others and by its own hand only', async () => {
    const scene = await withPull({ pageSize: 2 });
    await scene.open().forge.ensureComments(thread, 'plan', ['One.']);
    const mine = scene.github.threads[0]?.comments[0]?.body ?? '';
    for (const text of ['Nice.', mine, 'Hm.', 'More.']) scene.github.say(1, 'ann', text);

    const [same] = await scene.open().forge.ensureComments(thread, 'plan', ['One.']);
    const [changed, more] = await scene.open().forge.ensureComments(thread, 'plan', ['Uno.', 'Due.']);

    expect([same?.outcome, changed?.outcome, more?.outcome]).toEqual(['unchanged', 'updated', 'created']);
    expect(scene.github.threads[0]?.comments.filter(({ body }) => body === mine)).toHaveLength(1);
  });

  it('says when somebody had edited its comment, and removes parts that are left over', async () => {
    const scene = await withPull();
    await scene.open().forge.ensureComments(thread, 'plan', ['One.', 'Two.', 'Three.']);
    const [first] = scene.github.threads[0]?.comments ?? [];
    if (first !== undefined) first.body = first.body.replace('One.', 'Won.');

    const results = await scene.open().forge.ensureComments(thread, 'plan', ['One.']);

    expect(results).toMatchObject([{ outcome: 'updated', edited: true }]);
    expect(scene.github.threads[0]?.comments.map(({ body }) => body.split('\n')[1])).toEqual(['One.']);
  });

  it('keeps one issue for a topic, and a closed one closed', async () => {
    const scene = await onGitHub();
    await scene.open().forge.ensureIssue(issue);
    const same = await scene.open().forge.ensureIssue(issue);
    const changed = await scene.open().forge.ensureIssue({ ...issue, body: 'Two wait.' });
    const [kept] = scene.github.threads;
    if (kept !== undefined) kept.state = 'closed';
    const closed = await scene.open().forge.ensureIssue({ ...issue, body: 'Three wait.' });
    expect([same.outcome, changed.outcome, closed.outcome]).toEqual(['unchanged', 'updated', 'declined']);
    expect(scene.github.threads).toHaveLength(1);
  });

  it('adds and takes its own labels, never people’s', async () => {
    const scene = await withPull();
    const ours = ['sync', 'needs-person'];
    if (scene.github.threads[0] !== undefined) scene.github.threads[0].labels = ['Needs-Person', 'theirs'];
    const { forge } = scene.open();
    await forge.ensureLabels(thread, ['sync'], ours);
    const again = await forge.ensureLabels(thread, ['sync'], ours);
    expect(scene.github.threads[0]?.labels).toEqual(['theirs', 'sync']);
    expect(again.outcome).toBe('unchanged');
  });

  it('reacts once, and knows what an account may do, also one that is gone', async () => {
    const scene = await withPull();
    scene.github.permissions.set('mia', 'maintain');
    scene.github.permissions.set('tom', 'triage');
    const said = scene.github.say(1, 'mia', '/sync retry');
    const { forge } = scene.open();
    const [comment] = await forge.readComments(thread);
    if (comment === undefined) throw new Error('no comment');
    await forge.ensureReaction('mine/onyx', comment, '+1');
    const again = await forge.ensureReaction('mine/onyx', comment, '+1');
    const roles = ['mia', 'tom', 'nobody'].map((login) => forge.permissionOf('mine/onyx', login));
    expect(again.outcome).toBe('unchanged');
    expect(said.reactions).toHaveLength(1);
    expect(await Promise.all(roles)).toEqual(['maintain', 'triage', 'none']);
  });

  it('writes nothing in a dry run and tells what it would; stops writing at the cap', async () => {
    const scene = await withPull();
    const before = scene.github.writes().length;
    const dry = scene.open({ publish: false });
    const told = await dry.forge.ensureComments(thread, 'plan', ['One.']);
    expect(told).toEqual([{ outcome: 'would-create', value: undefined }]);
    expect(dry.gate.told).toEqual(['write the comment plan/1 on mine/onyx#1']);
    expect(scene.github.writes().length).toBe(before);

    const capped = scene.open({ limit: 1 });
    const results = await capped.forge.ensureComments(thread, 'plan', ['One.', 'Two.']);
    expect(results.map(({ outcome }) => outcome)).toEqual(['created', 'over-limit']);
    expect(capped.gate.refused).toHaveLength(1);
  });

  it('names a token that is not valid without showing it', async () => {
    const scene = await onGitHub();
    const { forge } = scene.open({ credentials: { kind: 'token', token: 'ghp_wrongtoken000000' } });
    const failure = await forge.ensurePullRequest(wanted).catch((error: unknown) => error);
    expect(failure).toMatchObject({ problem: { code: 'forge-failed', status: 401 } });
    expect(JSON.stringify([failure, String(failure)])).not.toContain('ghp_wrongtoken');
  });
});
