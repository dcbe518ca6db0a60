// report: the plan and, afterwards, the outcome, for people (HTML, Markdown) and for machines (JSON).
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { makeFolders, writeFileDurable } from '../../core/durable.ts';
import { inertJson } from '../../core/text.ts';
import { inventoryJson } from '../inventory/render.ts';
import type { Answers } from '../model/finding.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Plan } from '../model/plan.ts';
import type { Rehearsal } from '../model/rehearsal.ts';
import type { Verification } from '../model/verification.ts';
import { renderHtml } from './render-html.ts';
import { renderMarkdown } from './render-markdown.ts';

export interface ReportContent {
  readonly inventory: Inventory;
  readonly plan?: Plan;
  /** What was answered to the findings so far; absent: nothing. */
  readonly answers?: Answers;
  /** Absent: only planned. */
  readonly verification?: Verification;
  /** Absent: not rehearsed. */
  readonly rehearsal?: Rehearsal;
}

/**
 * Writes inventory.json and, with a plan, plan.json, report.md and report.html into a folder, which is made if it is
 * not there; each file 0600, existing ones of these names replaced. No confidential value is in them.
 * Returns the path of the page, or of the inventory where there is no plan.
 */
export function writeReport(
  folder: string,
  { inventory, plan, answers, verification, rehearsal }: ReportContent,
): string {
  makeReportFolder(folder);
  const write = (name: string, text: string): string => {
    const path = resolve(join(folder, name));
    asFileFailure('write the report', path, () => writeFileDurable(path, text, 0o600));
    return path;
  };
  const inventoryPath = write('inventory.json', inventoryJson(inventory));
  if (plan === undefined) return inventoryPath;
  write('plan.json', `${inertJson(plan, 2)}\n`);
  write('report.md', renderMarkdown(plan, verification, rehearsal, answers));
  return write('report.html', renderHtml(plan, verification, rehearsal, answers));
}

/** Before anything else is done: a report that cannot be written must not be found out at the end. */
export function makeReportFolder(folder: string): void {
  asFileFailure('make the folder of the report', resolve(folder), () => {
    makeFolders(folder, 0o700);
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
  });
}
