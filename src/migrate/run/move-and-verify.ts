// Carries out the steps of a run, verifies what came of it, and writes the report.
import { join } from 'node:path';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import { once } from '../../core/once.ts';
import { applySteps, type StepProgress } from '../apply/index.ts';
import { nothingRemembered } from '../daemon/remembering-client.ts';
import { toAnswers } from '../journal/given-answers.ts';
import { givenAnswers, noteNames } from '../journal/noted.ts';
import { describeStep } from '../model/step.ts';
import type { Check, Verification } from '../model/verification.ts';
import { writeReport } from '../report/index.ts';
import { expectedOf, verifyRun } from '../verify/index.ts';
import { applyContext } from './apply-context.ts';
import type { RunWork } from './run-work.ts';

export interface Moved {
  readonly verification: Verification;
  /** Of its checks; empty: everything is as it was. */
  readonly failed: readonly Check[];
  /** Where the report is. */
  readonly report: string;
}

/** Can be called again wherever it was interrupted. @throws failures of steps, once they are undone where that is possible */
export async function moveAndVerify(
  work: RunWork,
  onProgress: (progress: StepProgress) => void,
): Promise<Moved> {
  const { host, plannedOn, journal, run, folder } = work;
  let current = '';
  const said = nothingRemembered();
  const expected = once(() => expectedOf(host, journal, run, folder));
  const context = applyContext(work, () => current, {
    saidByTarget: said,
    prepareVerification: () => unlessRefused(expected),
  });
  await applySteps(context, {
    onProgress(progress) {
      const { title } = describeStep(progress.step);
      current = progress.state === 'begun' || progress.state === 'done' ? title : 'taking back';
      onProgress(progress);
    },
  });
  const verification = await verifyRun(host, journal, run, folder, (text) => work.say(`verify: ${text}`), {
    size: context.size,
    said,
    expected,
  });
  const rehearsal = journal.noted(run, noteNames.rehearsal);
  const report = writeReport(work.report ?? join(folder, 'report'), {
    plan: plannedOn.plan,
    inventory: context.sourceInventory(),
    verification,
    answers: toAnswers(givenAnswers(journal, run)),
    ...(rehearsal === undefined ? {} : { rehearsal }),
  });
  const failed = verification.checks.filter(({ ok }) => !ok);
  journal.enter(
    run,
    'done',
    host.now(),
    failed.length === 0 ? undefined : `${failed.length} of ${verification.checks.length} checks failed`,
  );
  return { verification, failed, report };
}

/** What fails ahead of its time fails again in its time, where that is told. */
function unlessRefused(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Failure) && systemErrorCode(error) === undefined) throw error;
  }
}
