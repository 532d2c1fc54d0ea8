import type { GateEvent } from '../gate/event.ts';
import type { Item } from '../gate/state.ts';
import { applyBuild, startBuildSet } from '../jobs/build-set.ts';
import { relations } from '../jobs/graph.ts';
import type { Build, BuildSetState } from '../jobs/state.ts';
import type { Artifact } from '../model/job.ts';
import type { SimulatedBuild, SimulatedReport, SimulationResult } from './scenario.ts';
import type { Workshop } from './workshop.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A build as the result will list it, with the artifacts that it was given. */
export type BuildRecord = Mutable<SimulatedBuild> & {
  /** It only waits for its descendants. */
  paused: boolean;
  readonly received: readonly Artifact[];
};

/** What is known of an item on its way. */
interface Track {
  readonly item: Item;
  number: number;
  /** Names in the state that is built, oldest first. */
  built: readonly string[];
  state: BuildSetState | undefined;
  readonly records: Map<string, BuildRecord>;
}

const finalActions: readonly string[] = ['success', 'failure', 'merge-conflict', 'config-error'];
/** Kinds of events that a reader of the result looks for; starts and ends stand with the builds. */
const told: readonly string[] = [
  'item-enqueued',
  'item-dequeued',
  'item-reset',
  'item-moved',
  'item-failing',
  'window-changed',
  'action-wanted',
];
const toldOfBuilds: readonly string[] = ['failing', 'paused', 'refused', 'retrigger'];

/** Follows what the gate decides, and keeps what the result of the run shows. */
export class Recorder {
  readonly builds: BuildRecord[] = [];
  readonly reports: SimulatedReport[] = [];
  /** Everything that was said on changes, final or not. */
  readonly messages: { readonly changes: readonly string[]; readonly text: string }[] = [];
  readonly windows: SimulationResult['windows'][number][] = [];
  readonly events: SimulationResult['events'][number][] = [];
  readonly counts = new Map<string, number>();
  readonly mostParallel = new Map<string, number>();
  readonly #start: number;
  readonly #nameOf: (key: string) => string;
  readonly #workshop: Pick<Workshop, 'closed' | 'received'>;
  readonly #tracks = new Map<string, Track>();
  readonly #live = new Map<string, Set<BuildRecord>>();
  readonly #queues = new Map<string, { readonly pipeline: string; readonly name: string }>();

  /**
   * @param start when the virtual clock started, milliseconds since the epoch
   * @param workshop hears of each build that ends, by its key and the result that the gate gives it
   */
  constructor(start: number, nameOf: (key: string) => string, workshop: Pick<Workshop, 'closed' | 'received'>) {
    this.#start = start;
    this.#nameOf = nameOf;
    this.#workshop = workshop;
  }

  /** When the last build ended, in seconds. */
  get end(): number {
    let end = 0;
    for (const build of this.builds) if (build.result !== 'SKIPPED') end = Math.max(end, build.end ?? 0);
    return end;
  }

  /** Takes in what a command came to. */
  follow(events: readonly GateEvent[], now: number): void {
    for (const event of events) {
      this.#note(event, now);
      this.#take(event, now);
    }
  }

  /** Something that happened outside the gate. */
  remark(kind: string, now: number, what: Readonly<Record<string, unknown>>): void {
    this.events.push({ time: this.#seconds(now), kind, ...what });
  }

  #take(event: GateEvent, now: number): void {
    switch (event.type) {
      case 'queue-opened':
        this.#queues.set(event.queue.id, { pipeline: event.queue.pipeline, name: event.queue.name });
        return;
      case 'window-changed':
        this.#window(event.queue, event.window, now);
        return;
      case 'action-wanted':
        if (event.action.kind === 'report') this.#report(event.action, now);
        return;
      case 'item-enqueued':
        this.#enqueued(event.item);
        return;
      default:
        if ('item' in event) this.#takeItem(event, now);
    }
  }

  #takeItem(event: GateEvent & { readonly item: string }, now: number): void {
    const track = this.#tracks.get(event.item);
    if (!track) return;
    if (event.type === 'item-based') track.built = this.#names([...event.base.ahead, ...track.item.changes]);
    if (event.type === 'item-prepared' && event.outcome.kind === 'ready')
      track.state = startBuildSet(event.outcome.graph);
    if (event.type === 'builds-changed' && track.state)
      this.#progress(track, applyBuild(track.state, event.change), now);
    if (event.type !== 'item-reset' && event.type !== 'item-dequeued') return;
    for (const record of track.records.values()) this.#finish(record, 'CANCELED', now);
    track.records.clear();
    track.state = undefined;
    track.built = [];
    track.number += 1;
    if (event.type === 'item-dequeued') this.#tracks.delete(event.item);
  }

  #enqueued(item: Item): void {
    this.#tracks.set(item.id, { item, number: item.buildSet.number, built: [], state: undefined, records: new Map() });
  }

  #names(keys: readonly string[]): readonly string[] {
    return keys.map(this.#nameOf);
  }

  #progress(track: Track, next: BuildSetState, now: number): void {
    const before = track.state?.builds ?? [];
    track.state = next;
    for (const [index, build] of next.builds.entries()) {
      if (build === before[index]) continue;
      const old = before[index];
      this.#update(track, build, now);
      const ended = old?.result === null && build.result !== null;
      if (ended) this.#workshop.closed(`${track.item.id}.${track.number}/${build.key}`, build.result);
    }
  }

  #update(track: Track, build: Build, now: number): void {
    const known = track.records.get(build.key);
    if (!known && build.startTime === null && build.result !== 'SKIPPED') return;
    const record = known ?? this.#begin(track, build, now);
    record.paused = build.paused;
    record.artifacts = build.artifacts;
    if (build.result !== null) this.#finish(record, build.result, now);
  }

  #begin(track: Track, build: Build, now: number): BuildRecord {
    const { item, number, built, state } = track;
    const job = state && relations(state.graph).jobs.get(build.job);
    const name = job?.name ?? build.job;
    const id = `${item.id}.${number}/${build.key}`;
    const record: BuildRecord = {
      id,
      job: name,
      change: this.#nameOf(job?.change ?? ''),
      changes: built,
      pipeline: item.pipeline,
      result: null,
      attempt: build.attempt,
      start: this.#seconds(now),
      end: null,
      voting: job?.voting ?? true,
      node: build.node ?? null,
      paused: false,
      artifacts: [],
      received: this.#workshop.received(id),
      ...(job ? { vars: job.vars } : {}),
    };
    this.builds.push(record);
    track.records.set(build.key, record);
    if (build.result !== 'SKIPPED') this.#count(record);
    return record;
  }

  #count(record: BuildRecord): void {
    this.counts.set(record.job, (this.counts.get(record.job) ?? 0) + 1);
    const live = this.#live.get(record.job) ?? new Set();
    this.#live.set(record.job, live.add(record));
    this.mostParallel.set(record.job, Math.max(this.mostParallel.get(record.job) ?? 0, live.size));
  }

  #finish(record: BuildRecord, result: string, now: number): void {
    if (record.result !== null) return;
    record.result = result;
    record.end = this.#seconds(now);
    record.paused = false;
    this.#live.get(record.job)?.delete(record);
  }

  #report(action: Extract<GateEvent, { type: 'action-wanted' }>['action'], now: number): void {
    if (action.kind !== 'report') return;
    const changes = action.changes.map(this.#nameOf);
    this.messages.push({ changes, text: action.message });
    if (!finalActions.includes(action.action) || action.result === null) return;
    const { pipeline, result, message } = action;
    this.reports.push({
      change: changes[0] ?? '',
      changes,
      pipeline,
      result,
      time: this.#seconds(now),
      messages: [message],
    });
  }

  #window(queue: string, window: number, now: number): void {
    const { pipeline, name } = this.#queues.get(queue) ?? { pipeline: '', name: queue };
    this.windows.push({ time: this.#seconds(now), pipeline, queue: name, window });
  }

  #note(event: GateEvent, now: number): void {
    const worthy =
      event.type === 'builds-changed' ? toldOfBuilds.includes(event.change.type) : told.includes(event.type);
    if (!worthy) return;
    const item = 'item' in event && typeof event.item === 'string' ? this.#tracks.get(event.item)?.item : undefined;
    const about = event.type === 'item-enqueued' ? event.item : item;
    const changes = about ? { pipeline: about.pipeline, changes: about.changes.map(this.#nameOf) } : {};
    this.events.push({ time: this.#seconds(now), kind: event.type, ...changes, ...detail(event) });
  }

  #seconds(now: number): number {
    return (now - this.#start) / 1000;
  }
}

/** What of an event is worth showing besides the changes that it is about. */
function detail(event: GateEvent): Readonly<Record<string, unknown>> {
  switch (event.type) {
    case 'builds-changed':
      return { change: event.change.type, ...('build' in event.change ? { build: event.change.build } : {}) };
    case 'item-failing':
      return { reasons: event.reasons };
    case 'window-changed':
      return { queue: event.queue, window: event.window };
    case 'action-wanted':
      return event.action.kind === 'report'
        ? { action: event.action.action, result: event.action.result }
        : { action: event.action.kind };
    default:
      return {};
  }
}
