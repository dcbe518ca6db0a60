// Limits of git processes: they grow with what git is asked to do, so that none is met by a repository that is only large.

/** Milliseconds for work on so many things; a slow disk takes some tens of them for each. */
export function timeLimit(baseMs: number, things: number, eachMs: number): number {
  return baseMs + Math.ceil(things * eachMs);
}

/** What a network may take as a whole; where nothing comes any more, git ends it sooner by itself. */
export const networkLimitMs = 6 * 3_600_000;

/** Less than a byte a second for five minutes is a connection that hangs (git-config, http.lowSpeedLimit). */
export const noStalling: readonly (readonly [string, string])[] = [
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '300'],
];
