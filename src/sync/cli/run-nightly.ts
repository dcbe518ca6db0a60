// `fork-sync nightly`: one night by a configuration file; tells what it would do unless it may publish.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { formatDuration, formatTable, inert } from '../../core/text.ts';
import { jsonLine } from '../git/output.ts';
import { type Night, runNight } from '../nightly/run-night.ts';
import { syncFailure } from '../problem.ts';
import { isPick } from '../publish/publish-plan.ts';
import { createReviewPage } from '../report/review-page.ts';
import { checkPagePath, writePage } from '../report/write-page.ts';
import { interruption } from './interrupt.ts';
import { openConfig } from './open-config.ts';
import { upstreamTips } from './open-scan.ts';
import { reviewOf } from './run-plan.ts';

export interface NightlyCommandOptions {
  readonly config?: string;
  readonly publish?: boolean;
  readonly offline?: boolean;
  readonly json?: boolean;
  readonly html?: string;
}

export async function runNightly(options: NightlyCommandOptions): Promise<ExitCode> {
  if (options.publish === true && options.offline === true)
    throw syncFailure({
      code: 'usage',
      why: 'Nothing can be published offline.',
      next: 'Give --publish or --offline, not both.',
    });
  const { config, pack } = openConfig(options.config);
  const { html } = options;
  checkPagePath(html);
  // The first signal lets the write that is under way end.
  const stopping = interruption(() => process.stderr.write('Stops after this step.\n'));
  const night = await runNight({
    config,
    pack,
    publish: options.publish === true,
    offline: options.offline === true,
    program: import.meta.filename,
    upstreamTips: () => upstreamTips(config.upstream, pack, config.branches),
    ...(html === undefined
      ? {}
      : {
          review: async (engine, open, plan) =>
            writePage(html, createReviewPage(await reviewOf(engine, open, plan))),
        }),
    stop: () => stopping.aborted,
    tell: (line) => process.stderr.write(`${inert(line)}\n`),
  });
  process.stdout.write(options.json === true ? `${formatJson(night)}\n` : `${formatNight(night, options)}\n`);
  return stopping.aborted && night.exit !== exitCode.nothingToDo ? exitCode.interrupted : night.exit;
}

function formatJson({ result, ...rest }: Night): string {
  return jsonLine({
    outcome: result.outcome,
    pullRequest: result.pullRequest?.url ?? null,
    statusIssue: rest.statusIssue ?? null,
    notices: [...result.notices, ...result.remarks],
    plan: result.plan,
    written: rest.written,
    told: rest.told,
    refused: rest.refused,
    apiCalls: rest.apiCalls,
    seconds: Math.round(rest.milliseconds) / 1000,
    exit: rest.exit,
  });
}

function formatNight(night: Night, { publish = false }: NightlyCommandOptions): string {
  const { plan, outcome, pullRequest, notices, remarks } = night.result;
  const rows = plan.entries.map((entry) => [
    entry.upstream.slice(0, 12),
    entry.state,
    entry.subject.slice(0, 80),
    isPick(entry)
      ? [
          ...entry.conflicts.map(({ type }) => type),
          ...entry.doubts.map(({ rule }) => rule),
          ...entry.reasons,
        ]
          .join('; ')
          .slice(0, 100)
      : entry.reasons.join('; ').slice(0, 100),
  ]);
  const lines = [
    ...(rows.length === 0 ? [] : [formatTable(['upstream', 'state', 'subject', 'why'], rows), '']),
    ...[...notices, ...remarks].map((text) => text.split('\n').map(inert).join('\n')),
    `${outcome}${pullRequest === undefined ? '' : `: ${inert(pullRequest.url)}`}${plan.waiting === 0 ? '' : `; ${plan.waiting} commits wait for the next run`}`,
    `${night.apiCalls} calls of the forge, ${night.written.length} writes, ${formatDuration(night.milliseconds)}`,
    ...(publish || night.told.length === 0 ? [] : ['This was a dry run: --publish does it.']),
  ];
  return lines.join('\n');
}
