import { shownRef } from '../pipelines/model/change-name.ts';
import { bounded, counted } from '../pipelines/model/words.ts';
import type { BuildRecord, ItemSnapshot, JobSnapshot, QueueSnapshot, StatusView } from '../server/api/types.ts';
import { stateOf } from '../web/state.ts';
import { duration, type Paint, paint, worded } from './output.ts';

/** Items of a queue that are drawn where nobody says how many. */
export const usualItems = 20;

/**
 * Queues as a tree: pipelines, queues, items in order, jobs. Empty queues are one line.
 *
 * @param most items of each queue that are drawn
 */
export function renderQueues(view: StatusView, most = usualItems): string {
  const used = Map.groupBy(view.queues, ({ pipeline }) => pipeline);
  const names = new Set([...(view.pipelines ?? []).map(({ name }) => name), ...used.keys()]);
  const pipelines = [...names].map((name) => [name, used.get(name) ?? []] as const);
  const notice = view.configuration ? [paint('yellow', worded(view.configuration.text)), ''] : [];
  const drawn = pipelines.flatMap(([name, queues]) => renderPipeline(name, queues, { view, most }));
  return [...notice, ...(drawn.length === 0 ? ['No pipeline has seen a change yet.'] : drawn)].join('\n');
}

interface Scene {
  readonly view: StatusView;
  readonly most: number;
}

function renderPipeline(name: string, queues: readonly QueueSnapshot[], scene: Scene): string[] {
  const busy = queues.filter(({ items }) => items.length > 0);
  const head = `${paint('bold', name)}${busy.length === 0 ? paint('dim', '  empty') : ''}`;
  return [head, ...branches(busy.map((queue) => renderQueue(queue, scene)))];
}

function renderQueue(queue: QueueSnapshot, { view, most }: Scene): string[] {
  const window = queue.window === 0 ? '' : paint('dim', `  window ${queue.window}`);
  const title = `${queue.queue}${queue.manager === 'dependent' ? window : ''}`;
  const { items } = queue;
  const drawn = items.slice(0, most).map((item, index) => renderItem(item, { queue, index }, view));
  const rest = items.length - drawn.length;
  const hint = `… and ${counted(rest, 'item')} behind: sluice status --limit ${items.length} shows all`;
  const more = rest > 0 ? [[paint('dim', hint)]] : [];
  return [title, ...branches([...drawn, ...more])];
}

interface Place {
  readonly queue: QueueSnapshot;
  readonly index: number;
}

function renderItem(item: ItemSnapshot, place: Place, view: StatusView): string[] {
  const names = item.changes.map(({ id, patchset, project, subject, wip }) => {
    const mark = wip ? paint('yellow', ' (work in progress)') : '';
    return `${paint('bold', project)} ${keyOf(id, patchset)} ${bounded(subject)}${mark}`;
  });
  const apart = standsApart(item, place);
  const age = duration(Math.max(0, view.time - item.enqueueTime) / 1000);
  const reason = item.reason === '' ? [] : [paint(item.state === 'failing' ? 'red' : 'dim', worded(item.reason))];
  return [
    `${names.join(' + ')}  ${paint('dim', `${item.state}, ${age}${apart}`)}`,
    ...reason.map((line) => `  ${line}`),
    ...branches(item.jobs.map((job) => [renderJob(job, item, view)])),
  ];
}

/** Said of an item that does not stand on the one before it: on which change it stands. */
function standsApart({ ahead }: ItemSnapshot, { queue, index }: Place): string {
  const before = queue.items[index - 1];
  if (!before || ahead === null || ahead === before.id) return '';
  const base = queue.items.find(({ id }) => id === ahead)?.changes ?? [];
  return base.length === 0 ? '' : `  on top of ${base.map(({ id, patchset }) => keyOf(id, patchset)).join(' ')}`;
}

/** A change with its patch set, in the length that people use. */
export function keyOf(id: string, patchset: number): string {
  return patchset > 0 ? `${shortId(id)},${patchset}` : shortId(id);
}

function renderJob(job: JobSnapshot, item: ItemSnapshot, view: StatusView): string {
  const [symbol, colour] = signOf(job);
  const attempt = job.attempt > 1 ? ` ×${job.attempt}` : '';
  const voting = job.voting ? '' : paint('dim', ' (non-voting)');
  const note = job.result === null ? worded(job.waiting.join('; ')) : job.summary;
  const time = timeOf(job, view.estimates[`${item.changes[0]?.project ?? ''} ${job.name}`], view.time);
  return `${paint(colour, symbol)} ${job.name}${attempt}${voting}${time && `  ${time}`}${note && paint('dim', `  ${note}`)}`;
}

function signOf({ result, startTime }: JobSnapshot): readonly [string, Paint] {
  return resultSign(result ?? (startTime === null ? 'waiting' : 'running'));
}

/** A sign and colour for a result, or for `running` and `waiting`. */
export function resultSign(result: string): readonly [string, Paint] {
  if (result === 'waiting') return ['○', 'dim'];
  if (result === 'running') return ['●', 'blue'];
  if (result === 'SUCCESS') return ['✓', 'green'];
  return ['SKIPPED', 'CANCELED', 'DEQUEUED', 'NO_JOBS'].includes(result) ? ['–', 'dim'] : ['✕', 'red'];
}

function timeOf({ startTime, endTime }: JobSnapshot, estimate: number | undefined, now: number): string {
  if (startTime === null) return '';
  if (endTime !== null) return duration((endTime - startTime) / 1000);
  const running = duration(Math.max(0, now - startTime) / 1000);
  const left = estimate === undefined ? 0 : estimate - (now - startTime);
  return left > 0 ? `${running}, ~${duration(left / 1000)} left` : running;
}

/** A Change-Id in the length that people use; a branch or tag by its name and commit. */
export function shortId(id: string): string {
  return shownRef(id) ?? (/^I[0-9a-f]{40}$/.test(id) ? id.slice(0, 9) : id);
}

/** One line for a build, as `sluice watch` prints it. */
export function buildLine(build: BuildRecord): string {
  const { project, change, pipeline, job, attempt, summary } = build;
  const [symbol, colour] = resultSign(stateOf(build));
  const again = attempt > 1 ? ` ×${attempt}` : '';
  return `${paint(colour, symbol)} ${pipeline} ${project} ${shortId(change)} ${job}${again}${summary && `: ${summary}`}`;
}

/** Draws each part's first line at a branch of a tree, and its other lines below. */
function branches(parts: readonly (readonly string[])[]): string[] {
  return parts.flatMap(([first = '', ...rest], index) => {
    const last = index === parts.length - 1;
    return [`${last ? '└─ ' : '├─ '}${first}`, ...rest.map((line) => `${last ? '   ' : '│  '}${line}`)];
  });
}
