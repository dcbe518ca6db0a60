// What a daemon does not say within its limit is not known: that one answer takes too long says nothing against the server.
import { Failure } from '../../../core/failure.ts';

/** Told what was asked for and was not answered; in words. */
export type NotInTime = (what: string) => void;

/** undefined where the daemon did not answer within its limit, which `notInTime` is told; without it that is a failure. */
export async function inTime<T>(
  what: string,
  notInTime: NotInTime | undefined,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isLate = error instanceof Failure && error.problem.code === 'wait-limit';
    if (!isLate || notInTime === undefined) throw error;
    notInTime(`${what}: ${error.explanation.what}`);
    return undefined;
  }
}
