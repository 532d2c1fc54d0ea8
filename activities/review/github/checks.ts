import { cutTo } from '../cut.ts';
import type { Place } from './pulls.ts';
import { type CheckRun, checkRunSchema } from './schema.ts';

/** Marks what is said before a merge: the report of the success goes on from it. */
export const aheadMark = 'ahead';

/** What a check run says. */
export interface CheckReport {
  readonly project: string;
  /** The commit that it is about. */
  readonly head: string;
  readonly name: string;
  /** Names this report: repeating it changes nothing. At most a hundred characters. */
  readonly mark: string;
  /** As reporters write it: `queued`, `in_progress`, or how it ended. */
  readonly state: string;
  readonly title: string;
  readonly summary: string;
  readonly details: string | undefined;
  readonly annotations: readonly Annotation[];
}

/** A remark on lines of a file. */
export interface Annotation {
  readonly path: string;
  readonly line: number;
  readonly endLine?: number;
  readonly level: 'notice' | 'warning' | 'failure';
  readonly message: string;
}

/** GitHub takes so many annotations in one request, and so many characters of a summary and of a message. */
const mostAnnotations = 50;
const mostSummary = 65_000;
const mostMessage = 16_000;

/**
 * Says how a check of a commit stands: a run that has not ended goes on, one that has ended stays as it is and a new
 * one begins. Only an App has check runs.
 *
 * @throws an error when GitHub has not recorded it
 */
export function reportCheck(place: Place, report: CheckReport): Promise<void> {
  return inTurn(place, report, () => sayCheck(place, report));
}

/**
 * How far a check is that has begun; what has ended stays as it was reported.
 *
 * @param resultOf what a run came to, by its mark, as it was reported
 */
export async function reportProgress(
  place: Place,
  { title, summary, ...about }: CheckProgress,
  resultOf: (mark: string) => Promise<CheckWords | undefined>,
): Promise<void> {
  // A report that is under way must not be written over.
  await inTurn(place, about, async () => {
    const last = await lastRun(place, about);
    if (last?.status !== 'in_progress') return;
    const route = 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}';
    const say = (words: CheckWords) => {
      const output = { title: words.title.slice(0, 255), summary: cutTo(words.summary, mostSummary) };
      return place.client.send(
        { project: about.project, route, with: { check_run_id: last.id, output } },
        checkRunSchema,
      );
    };
    const { status, conclusion, external_id: mark } = await say({ title, summary });
    if (status !== 'completed') return;
    // Another process has reported the end meanwhile, and GitHub compares nothing: its words are put back.
    const ended = {
      title: `Ended: ${conclusion}`,
      summary: 'What came of each job is on the page that Details leads to.',
    };
    await say((await resultOf(mark ?? '')) ?? ended);
  });
}

/** What a check run says to people. */
export type CheckWords = Pick<CheckReport, 'title' | 'summary'>;

type CheckName = Pick<CheckReport, 'project' | 'head' | 'name'>;
type CheckProgress = CheckName & CheckWords;

async function inTurn({ saying }: Place, { project, head, name }: CheckName, say: () => Promise<void>): Promise<void> {
  const key = JSON.stringify([project, head, name]);
  const next = (saying.get(key) ?? Promise.resolve()).catch(() => {}).then(say);
  saying.set(key, next);
  await next.finally(() => saying.get(key) === next && saying.delete(key));
}

async function sayCheck(place: Place, report: CheckReport): Promise<void> {
  const { name } = report;
  const last = await lastRun(place, report);
  if (last?.external_id === report.mark && runIsAt(last, report.state)) return;
  const [first = [], ...rest] = batches(report.annotations.map(toAnnotation));
  let run = await saveRun(place, report, { last, annotations: first });
  for (const annotations of rest) run = await saveRun(place, report, { last: run, annotations, adding: true });
  if (!runIsAt(run, report.state)) {
    throw new Error(
      `GitHub has not recorded the check ${name} as ${report.state}, but as ${run.conclusion ?? run.status}`,
    );
  }
}

/** Our last run of a check. @throws an error for a connection that is no App */
export async function lastRun(
  { client, connection, settings }: Place,
  { project, head, name }: CheckName,
): Promise<CheckRun | undefined> {
  const { app } = settings;
  if (app === undefined) {
    throw new Error(`connection ${connection}: only an App can report a check; report a status with a token`);
  }
  const route = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs';
  const asked = { ref: head, check_name: name, app_id: app.id, filter: 'latest' };
  const runs = (await client.list({ project, route, with: asked }, checkRunSchema)) ?? [];
  return runs.find((run) => run.name === name && run.app?.id === app.id);
}

interface Saving {
  readonly last: CheckRun | undefined;
  readonly annotations: readonly Readonly<Record<string, unknown>>[];
  /** More of the same report. */
  readonly adding?: true;
}

async function saveRun(place: Place, report: CheckReport, { last, annotations, adding }: Saving): Promise<CheckRun> {
  const { project, head, name, title } = report;
  const summary = cutTo(report.summary, mostSummary, report.details);
  const given = {
    name,
    external_id: report.mark,
    ...stateOf(report.state),
    ...(report.details === undefined ? {} : { details_url: report.details }),
    output: { title: title.slice(0, 255), summary, ...(annotations.length === 0 ? {} : { annotations }) },
  };
  // What was said before the merge and what is said of it after that are one verdict.
  const isAhead = last?.external_id === aheadMark && runIsAt(last, report.state);
  const goesOn = last !== undefined && (adding === true || last.status !== 'completed' || isAhead);
  const [route, more] = goesOn
    ? (['PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', { check_run_id: last.id }] as const)
    : (['POST /repos/{owner}/{repo}/check-runs', { head_sha: head }] as const);
  return place.client.send({ project, route, with: { ...given, ...more } }, checkRunSchema);
}

const begun = new Set(['queued', 'in_progress']);

function stateOf(state: string): Readonly<Record<string, string>> {
  return begun.has(state) ? { status: state } : { status: 'completed', conclusion: state };
}

/** Whether a run stands as a reporter's word says. */
export function runIsAt({ status, conclusion }: CheckRun, state: string): boolean {
  return begun.has(state) ? status === state : conclusion === state;
}

function toAnnotation({ path, line, endLine = line, level, message }: Annotation): Readonly<Record<string, unknown>> {
  const text = message.slice(0, mostMessage);
  return { path, start_line: line, end_line: endLine, annotation_level: level, message: text };
}

function batches<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / mostAnnotations);
  return Array.from({ length: count }, (_, index) =>
    items.slice(index * mostAnnotations, (index + 1) * mostAnnotations),
  );
}
