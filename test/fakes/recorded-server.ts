// A daemon that gives the answers that a real LXD gave when it was asked for everything, project by project.
import { type RecordedFixture, readRecording } from '../../src/dev/database-fixture.ts';
import { type DaemonClient, daemonClient } from '../../src/migrate/daemon/client.ts';
import { errorAnswer, syncAnswer } from './daemon-answers.ts';
import { fakeHost } from './fake-host.ts';
import { ofAllProjects } from './of-all-projects.ts';
import { wholeInstance } from './whole-instance.ts';

/** A question for all projects at once is answered with what was said project by project. */
export function recordedServer(name: RecordedFixture): DaemonClient {
  const answers = readRecording(name);
  const byQuestion = new Map(Object.entries(answers).map(([path, answer]) => [questionOf(path), answer]));
  const host = fakeHost();
  host.dispose();
  const recorded = (path: string): unknown =>
    path.includes('all-projects=true') ? ofAllProjects(answers, path) : byQuestion.get(questionOf(path));
  host.onRequest((_, { method, path }) => {
    if (method !== 'GET') return errorAnswer(405, `not a question: ${method} ${path}`);
    const answer = recorded(path) ?? wholeInstance(recorded, path);
    if (answer === undefined) return errorAnswer(404, `not recorded: ${path}`);
    const refusal = refusalOf(answer);
    return refusal === undefined ? syncAnswer(answer) : errorAnswer(400, refusal);
  });
  return daemonClient(host, '/unix.socket');
}

/** The path with its options in one order; there was one member, so which one is asked for makes no difference. */
function questionOf(path: string): string {
  const url = new URL(path, 'http://unix');
  url.searchParams.delete('target');
  url.searchParams.sort();
  return `${decodeURIComponent(url.pathname)}?${url.searchParams}`;
}

function refusalOf(answer: unknown): string | undefined {
  return typeof answer === 'object' && answer !== null && 'error' in answer
    ? String(answer.error)
    : undefined;
}
