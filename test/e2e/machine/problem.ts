// Failures of the harness: what a throw-away machine could not be given.
import { Failure, unreachable } from '../../../src/core/failure.ts';

export type MachineProblem =
  | { readonly code: 'not-root' }
  | { readonly code: 'no-debian-mirror'; readonly looked: string }
  | { readonly code: 'tree-failed'; readonly tree: string; readonly argv: readonly string[] }
  | { readonly code: 'machine-not-up'; readonly name: string; readonly printed: string }
  | { readonly code: 'machine-gone'; readonly name: string }
  | { readonly code: 'machine-left-something'; readonly name: string; readonly what: readonly string[] }
  | {
      readonly code: 'command-in-machine';
      readonly name: string;
      readonly argv: readonly string[];
      readonly why: string;
    }
  | { readonly code: 'not-a-machine'; readonly name: string; readonly marker: string }
  | { readonly code: 'api-error'; readonly request: string; readonly status: number; readonly text: string }
  | { readonly code: 'unexpected-output'; readonly what: string; readonly text: string };

/** Makes the failure of a harness problem; the only place where its text is written. */
export function machineFailure(problem: MachineProblem, cause?: unknown): Failure<MachineProblem> {
  return new Failure(problem, explain(problem), { cause });
}

function explain(problem: MachineProblem): { what: string; where?: string; next?: string } {
  switch (problem.code) {
    case 'not-root':
      return {
        what: 'Throw-away machines need root (namespaces, loop devices, mounts).',
        next: 'Run the end-to-end tests as root.',
      };
    case 'no-debian-mirror':
      return {
        what: "No Debian mirror was found in this machine's apt configuration.",
        where: problem.looked,
        next: 'Name one with LXD_TO_INCUS_E2E_MIRROR and LXD_TO_INCUS_E2E_SECURITY_MIRROR.',
      };
    case 'tree-failed':
      return {
        what: `The root tree ${problem.tree} could not be made.`,
        where: problem.argv.join(' '),
        next: 'What was begun is removed; the cause follows.',
      };
    case 'machine-not-up':
      return { what: `The machine ${problem.name} did not come up.`, where: problem.printed };
    case 'machine-gone':
      return { what: `The machine ${problem.name} is no longer running.` };
    case 'machine-left-something':
      return {
        what: `The machine ${problem.name} is stopped, but something of it is left.`,
        where: problem.what.join('\n'),
      };
    case 'command-in-machine':
      return { what: `${problem.name}: ${problem.argv.join(' ')}`, where: problem.why };
    case 'not-a-machine':
      return {
        what: `Refused: ${problem.name} is no throw-away machine.`,
        where: `its marker file ${problem.marker} is missing or names another one`,
      };
    case 'api-error':
      return { what: `${problem.request} was answered with ${problem.status}.`, where: problem.text };
    case 'unexpected-output':
      return { what: `${problem.what} printed something unexpected.`, where: problem.text.slice(0, 500) };
    default:
      return unreachable(problem);
  }
}
