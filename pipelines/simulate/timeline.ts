import { elapsed } from '../report/item-report.ts';
import type { SimulatedBuild, SimulationResult } from './scenario.ts';

/** How a piece of the picture is meant, for those who show colours. */
export type Mood = 'title' | 'good' | 'bad' | 'gone' | 'quiet';

export interface TimelineOptions {
  /** Columns that a line may have. */
  readonly width: number;
  /** Colours a text; left out: no colours. */
  readonly paint?: (mood: Mood, text: string) => string;
}

interface Canvas {
  readonly labels: number;
  readonly columns: number;
  /** Seconds that the columns stand for. */
  readonly span: number;
  readonly paint: (mood: Mood, text: string) => string;
}

/** Rows of one change in one pipeline. */
interface Group {
  readonly title: string;
  readonly outcome: string;
  readonly good: boolean | undefined;
  readonly builds: readonly SimulatedBuild[];
}

const smallest = 40;

/** The picture of a run: for each change and pipeline its builds as bars on one axis of time, and what it came to. */
export function timeline(result: SimulationResult, options: TimelineOptions): string {
  const paint = options.paint ?? ((_mood: Mood, text: string) => text);
  const groups = groupsOf(result);
  const longest = Math.max(8, ...groups.flatMap(({ builds }) => builds.map((build) => labelOf(build).length)));
  const width = Math.max(smallest, options.width);
  const labels = Math.min(longest, Math.floor(width / 2) - 2);
  const results = Math.max(0, ...result.builds.map((build) => resultOf(build).length));
  const columns = Math.max(10, width - labels - results - 5);
  const canvas: Canvas = { labels, columns, span: Math.max(result.end, 1), paint };
  const lines = [paint('title', cut(result.scenario, width)), axis(canvas)];
  for (const group of groups) lines.push(...draw(group, canvas, width));
  const merged = result.merged.length === 0 ? 'nothing merged' : `merged: ${result.merged.join(', ')}`;
  lines.push(cut(merged, width), ...remarks(result));
  for (const { path, line, column, message, severity } of result.configErrors)
    lines.push(`${path}:${line}:${column}: ${severity === 'warning' ? 'warning: ' : ''}${message}`);
  for (const failure of result.failures) lines.push(paint('bad', `✗ ${failure}`));
  return `${lines.join('\n')}\n`;
}

/** What was asked for and refused; where nothing came of anything, also the events that no pipeline waits for. */
function remarks({ events, builds, reports }: SimulationResult): readonly string[] {
  const quiet = builds.length === 0 && reports.length === 0;
  return events.flatMap(({ kind, time: at, reason, change, event }) => {
    if (kind === 'refused') return [`refused at ${time(at)}: ${reason}`];
    return kind === 'ignored' && quiet ? [`no pipeline waits for ${event} (${change} at ${time(at)})`] : [];
  });
}

function groupsOf(result: SimulationResult): readonly Group[] {
  const keys = new Set([...result.builds, ...result.reports].map((one) => `${one.pipeline}\n${one.change}`));
  return [...keys].map((key) => {
    const [pipeline = '', change = ''] = key.split('\n');
    const own = (one: { readonly pipeline: string; readonly change: string }) =>
      one.pipeline === pipeline && one.change === change;
    const reports = result.reports.filter((one) => one.pipeline === pipeline && one.changes.includes(change));
    const outcome = reports.map((report) => `${report.result} at ${time(report.time)}`).join(', ');
    const last = reports.at(-1)?.result;
    const good = last === undefined ? undefined : last === 'SUCCESS';
    return { title: `${change} in ${pipeline}`, outcome, good, builds: result.builds.filter(own) };
  });
}

function draw(group: Group, canvas: Canvas, width: number): readonly string[] {
  const { paint } = canvas;
  const title = cut(`${group.title}${group.outcome === '' ? '' : `: ${group.outcome}`}`, width);
  const mood = group.good === undefined ? 'quiet' : group.good ? 'good' : 'bad';
  return ['', paint(mood, title), ...group.builds.map((build) => row(build, canvas))];
}

function row(build: SimulatedBuild, canvas: Canvas): string {
  const label = cut(labelOf(build), canvas.labels).padEnd(canvas.labels);
  const from = Math.min(canvas.columns - 1, Math.floor((build.start / canvas.span) * canvas.columns));
  const to = Math.ceil(((build.end ?? canvas.span) / canvas.span) * canvas.columns);
  const length = Math.max(1, Math.min(canvas.columns, to) - from);
  const bar = (build.result === 'SKIPPED' ? '·' : build.end === null ? '┅' : '━').repeat(
    build.result === 'SKIPPED' ? 1 : length,
  );
  const rest = ' '.repeat(Math.max(0, canvas.columns - from - bar.length));
  const mood = moodOf(build.result);
  return `  ${label} ${' '.repeat(from)}${canvas.paint(mood, bar)}${rest} ${canvas.paint(mood, resultOf(build))}`.trimEnd();
}

/** The job, and what it was built on when that is more than the change itself. */
function labelOf(build: SimulatedBuild): string {
  const again = build.attempt > 1 ? ` #${build.attempt}` : '';
  const ahead = build.changes.filter((name) => name !== build.change);
  return `${build.job}${again}${ahead.length === 0 ? '' : ` (on ${ahead.join(', ')})`}`;
}

function resultOf(build: SimulatedBuild): string {
  return `${build.result ?? 'running'}${build.voting ? '' : '*'}`;
}

function moodOf(result: string | null): Mood {
  if (result === 'SUCCESS') return 'good';
  if (result === 'CANCELED' || result === 'SKIPPED') return 'gone';
  return result === null || result === 'RETRY' ? 'quiet' : 'bad';
}

/** Marks at the beginning, in the middle and at the end. */
function axis({ labels, columns, span, paint }: Canvas): string {
  const marks = ['0s', time(span / 2), time(span)];
  const [first = '', middle = '', last = ''] = marks;
  const half = Math.floor(columns / 2);
  const line = `${first.padEnd(half)}${middle}`.padEnd(Math.max(0, columns - last.length)) + last;
  return paint('quiet', `  ${' '.repeat(labels)} ${line}`);
}

function time(seconds: number): string {
  return elapsed(seconds * 1000);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
