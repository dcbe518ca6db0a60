// Applies log entries to pages, one whole entry or nothing of it.
import { type Command, decodeCommand } from './command.ts';
import { decodeConfiguration, type RaftConfiguration } from './configuration.ts';
import { makePageStore, type PageStore, putPage } from './page-store.ts';
import type { Snapshot } from './snapshot.ts';

export interface ReplayCounts {
  entries: number;
  transactions: number;
  pages: number;
  checkpoints: number;
  barriers: number;
  configurations: number;
}

export interface ReplayState {
  readonly pages: PageStore;
  configuration: RaftConfiguration | undefined;
  database: string | undefined;
  lastIndex: number;
  lastTerm: number;
  /** Frames of a transaction that is not committed yet (dqlite up to 1.5). */
  pending: { readonly page: number; readonly bytes: Buffer }[];
  readonly counts: ReplayCounts;
}

export function beginReplay(
  snapshot?: Omit<Snapshot, 'configuration'> & {
    /** Lost, where only the pages of a snapshot were left. */
    readonly configuration: Snapshot['configuration'] | undefined;
    readonly index: number;
    readonly term: number;
  },
): ReplayState {
  return {
    pages: snapshot?.pages ?? makePageStore(),
    configuration: snapshot?.configuration,
    database: snapshot?.database,
    lastIndex: snapshot?.index ?? 0,
    lastTerm: snapshot?.term ?? 0,
    pending: [],
    counts: { entries: 0, transactions: 0, pages: 0, checkpoints: 0, barriers: 0, configurations: 0 },
  };
}

/** Applies the entry after `lastIndex`; says what is wrong with it instead if it makes no sense. */
export function applyEntry(
  state: ReplayState,
  entry: { readonly term: number; readonly type: number },
  payload: Buffer,
): string | undefined {
  if (state.lastIndex === 0 && entry.type !== 3) return 'the first entry of a log must be a configuration';
  const fault = entry.type === 1 ? applyCommand(state, payload) : applyOther(state, entry.type, payload);
  if (fault !== undefined) return fault;
  state.lastIndex += 1;
  // Recovery of a cluster writes its entry with term 1 whatever came before, so the last term is the highest one.
  state.lastTerm = Math.max(state.lastTerm, entry.term);
  state.counts.entries += 1;
  return undefined;
}

function applyOther(state: ReplayState, type: number, payload: Buffer): string | undefined {
  if (type === 2) {
    state.counts.barriers += 1;
    return undefined;
  }
  const configuration = decodeConfiguration(payload);
  if (typeof configuration === 'string') return configuration;
  state.configuration = configuration;
  state.counts.configurations += 1;
  return undefined;
}

function applyCommand(state: ReplayState, payload: Buffer): string | undefined {
  const command = decodeCommand(payload);
  if (typeof command === 'string') return command;
  switch (command.type) {
    case 'open':
      return undefined;
    case 'checkpoint':
      state.counts.checkpoints += 1;
      return undefined;
    case 'undo':
      state.pending = [];
      return undefined;
    case 'frames':
      return applyFrames(state, command);
  }
}

function applyFrames(state: ReplayState, command: Command & { readonly type: 'frames' }): string | undefined {
  const { pages } = state;
  const { pageSize } = command;
  state.database ??= command.database;
  if (command.database !== state.database)
    return `it belongs to the database ${command.database}, the entries before it to ${state.database}`;
  if (pages.pageSize !== undefined && pages.pageSize !== pageSize)
    return `its pages have ${pageSize} bytes, those before it ${pages.pageSize}`;
  pages.pageSize = pageSize;
  state.counts.pages += command.pageNumbers.length;
  let at = 0;
  if (!command.isCommit) {
    for (const page of command.pageNumbers) {
      state.pending.push({ page, bytes: Buffer.from(command.pages.subarray(at, at + pageSize)) });
      at += pageSize;
    }
    return undefined;
  }
  for (const { page, bytes } of state.pending) putPage(pages, pageSize, page, bytes);
  state.pending = [];
  for (const page of command.pageNumbers) {
    putPage(pages, pageSize, page, command.pages.subarray(at, at + pageSize));
    at += pageSize;
  }
  state.counts.transactions += 1;
  return undefined;
}
