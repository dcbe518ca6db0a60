// report: the plan and, afterwards, the outcome, for people (HTML, Markdown) and for machines (JSON).
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFileDurable } from '../../core/durable.ts';
import type { PlanMaterial } from '../plan/index.ts';
import type { Verification } from '../verify/verification.ts';
import { renderHtml } from './render-html.ts';
import { renderMarkdown } from './render-markdown.ts';

export interface ReportContent {
  readonly material: PlanMaterial;
  /** undefined: only planned. */
  readonly verification: Verification | undefined;
}

/**
 * Writes report.html, report.md, plan.json and inventory.json into a folder, which is made if it is not there; each
 * file 0600, existing ones of these names replaced. Returns the path of the page.
 */
export function writeReport(folder: string, { material, verification }: ReportContent): string {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string): string => {
    const path = resolve(join(folder, name));
    writeFileDurable(path, text, 0o600);
    return path;
  };
  write('plan.json', `${JSON.stringify(material.plan, null, 2)}\n`);
  write('report.md', renderMarkdown(material.plan, verification));
  return write('report.html', renderHtml(material.plan, verification));
}
