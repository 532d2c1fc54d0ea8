import { randomUUID } from 'node:crypto';
import type { Occurrence, ReviewHost } from '../../activities/review/port.ts';
import type { GateAnswer } from '../../pipelines/gate/command.ts';
import type { Layout } from '../../pipelines/language/language.ts';
import { type Change, changeIdOf, type TriggerEvent } from '../../pipelines/model/change.ts';
import type { Tick } from '../../pipelines/policy/timers.ts';
import type { Obstacle } from '../../pipelines/report/change-known.ts';
import type { TellAction } from '../../workflows/contract.ts';
import { factsOf, indexOpen, type OpenChanges } from './closure.ts';
import { withoutOldWords } from './history.ts';
import { HostedChanges } from './hosted-changes.ts';
import { joblessIn, notEnqueued, withoutJobs } from './jobless.ts';
import { keepFor } from './keep-for.ts';
import { handledEvents } from './ledger.ts';
import { lookAtEach } from './look-at-each.ts';
import { lookOnce } from './look-once.ts';
import { conflictsIn, obstacles } from './obstacles.ts';
import { unreadyAround } from './readiness.ts';
import { eventOf, isGated, isUploaded, movesBranches } from './ref-change.ts';
import { eventId, gateOf, type Routed, takes } from './route.ts';
import type { Looking, RouterDeps } from './router-deps.ts';
import { takenOutMarks } from './taken-out.ts';
import { Telling } from './telling.ts';
import { createTurns } from './turns.ts';
import { Views } from './views.ts';

/** Milliseconds that the open changes, once read, serve the looks of one sync. */
const freshness = 1_000;

interface StateLook {
  readonly connection: string;
  readonly open: () => Promise<OpenChanges>;
  /** Ids of what is to be looked at: what is found to be ready for nothing beside another is taken out. */
  readonly due: Set<string>;
}

/** Turns what happens in review systems into commands for gates. Every method may be repeated. */
export class EventRouter {
  readonly #deps: RouterDeps;
  /** Number of the last handled event of each change. */
  readonly #handled;
  /** Looks at one change follow each other: its events stay in order. */
  readonly #turns = createTurns();
  readonly #changes: HostedChanges;
  readonly #views: Views;
  readonly #telling: Telling;

  /** What is open just now, wherever it is. */
  readonly #open = (): Promise<OpenChanges> => this.#changes.listOpen();

  constructor(deps: RouterDeps) {
    this.#deps = deps;
    this.#handled = handledEvents(deps.ledger);
    this.#changes = new HostedChanges(deps.hosts, deps.connections);
    this.#views = new Views(deps, this.#changes);
    this.#telling = new Telling(deps);
  }

  /** The review system that has a change. */
  host(connection: string): ReviewHost | undefined {
    return this.#changes.host(connection);
  }

  /** Reads what has happened to a change since the last look, and tells the gates. Answers with the number of events. */
  look(connection: string, change: string, how: Looking = {}): Promise<number> {
    return this.#turns.take(change, () => this.#look(connection, change, how));
  }

  /** Tells the gates what a review system has told. @param how of what is to be looked at */
  async hear(connection: string, { news }: Occurrence, how: Looking = {}): Promise<void> {
    for (const one of news) {
      if (one.kind === 'look') await this.look(connection, one.change, how);
      else if (one.kind === 'projects') await this.#deps.renew?.(connection);
      else await this.#hearOf(connection, one.event);
    }
  }

  async #hearOf(connection: string, event: TriggerEvent): Promise<void> {
    this.#changes.stale(connection);
    if (movesBranches(event)) await this.#deps.fetch?.(event.project);
    const layout = await this.#deps.layouts.current();
    // A host tells of all that it has.
    if (!isGated(this.#deps.layouts, layout, event.project)) return;
    const { change: name } = event;
    if (name === undefined) return this.#hearOfRef(layout, event);
    const found = await this.#changes.readIn(connection, name);
    if (!found) return;
    const waits = this.#turns.isTaken(found.id);
    await this.#turns.take(found.id, async () => {
      // What was told of it meanwhile may be newer.
      const change = (waits ? await this.#changes.readIn(connection, name) : null) ?? found;
      const view = await this.#views.of(change);
      const id = eventId(change.id, event);
      await this.#telling.tell(view, await this.#telling.route(view, { id, event }), { id });
      return 1;
    });
  }

  /** What a look at the refs has found before the host told it is not passed on again. */
  async #hearOfRef(layout: Layout, event: TriggerEvent): Promise<void> {
    const [refs, id] = [this.#deps.refs, eventId(`${event.connection}:${event.project}`, event)];
    if (!(await refs?.isKnown(event)))
      await this.#telling.send(await this.#telling.route(await this.#views.ofRef(layout, event), { id, event }));
    await refs?.note(event);
  }

  /**
   * Looks at every open change of a connection, and at every one that a gate holds, for of one that is no longer open
   * perhaps nobody said so: whatever was missed is found. One that cannot be looked at keeps nobody from the others.
   */
  async lookAtAll(connection: string, signal?: AbortSignal): Promise<number> {
    const listed = (await this.host(connection)?.listOpenChanges()) ?? [];
    const held = (await this.#deps.held()).filter(({ id }) => id.startsWith(`${connection}:`));
    const recent = keepFor(freshness, this.#open);
    const layout = await this.#deps.layouts.current();
    const open = listed.map((one) => factsOf(layout, one));
    const { readiness } = this.#telling;
    const due = new Set(readiness.due({ layout, connection, open, time: Date.now() }).map(({ id }) => id));
    const look = async (id: string) => {
      const events = await this.look(connection, id, { open: recent });
      if (events > 0 || !due.has(id)) return events;
      return this.#turns.take(id, () => this.#lookAtState(id, { connection, open: recent, due }));
    };
    return lookAtEach(new Set([...listed, ...held].map(({ id }) => id)), look, signal);
  }

  /** Brings a change into a pipeline because somebody asks for it. */
  async enqueue(pipeline: string, name: string): Promise<GateAnswer> {
    const change = await this.read(name);
    if (!change) return { ok: false, reason: `there is no change ${name}` };
    await takenOutMarks(this.#deps.ledger).forget({ pipeline, key: change.key });
    const view = await this.#views.of(change);
    const jobless = takes(view, pipeline) ? joblessIn(await this.#views.subject(view, change), pipeline) : undefined;
    return jobless === undefined ? this.#telling.ask(pipeline, view) : notEnqueued(pipeline, jobless);
  }

  /** Brings a branch into a pipeline as it is now: to release what was imported, say. */
  async enqueueBranch(pipeline: string, { project, branch }: { project: string; branch: string }): Promise<GateAnswer> {
    const layout = await this.#deps.layouts.current();
    const host = this.host(layout.projects.byName.get(project)?.connection ?? '');
    const newrev = await host?.branchTip(project, branch);
    if (!host || !newrev) return { ok: false, reason: `there is no branch ${branch} of ${project}` };
    const [{ connection }, ref] = [host, `refs/heads/${branch}`];
    const event = { type: 'ref-updated', driver: 'git', connection, project, branch, ref, newrev, time: Date.now() };
    return this.#telling.ask(pipeline, await this.#views.ofRef(layout, event));
  }

  /** Brings a branch into a pipeline because its time has come. */
  async tick({ time, ...tick }: Tick): Promise<void> {
    const { project, branch, pipeline, timespec, dereference } = tick;
    const layout = await this.#deps.layouts.current();
    const connection = layout.projects.byName.get(project)?.connection ?? '';
    const newrev = await this.host(connection)?.branchTip(project, branch);
    // A branch may have gone since the timers were read.
    if (!newrev) return;
    const head = { project, branch, ref: `refs/heads/${branch}`, ...(dereference ? { newrev } : {}), time };
    const event = { ...head, type: 'timer', driver: 'timer', connection: tick.connection, pipeline, timespec };
    const id = JSON.stringify(['timer', pipeline, timespec, project, branch, time]);
    await this.#telling.send(
      await this.#telling.route(await this.#views.ofRef(layout, { ...event, connection }), { id, event }),
    );
  }

  /** Carries out what a gate wants of the other gates. */
  async pass(action: Exclude<TellAction, { kind: 'report' }>): Promise<void> {
    const id = changeIdOf(action.change);
    // Where its queues are is all that counts of one that is superseded.
    const noted = action.kind === 'supersede' ? await this.#changes.noted(id) : undefined;
    const change = noted ?? (await this.read(id));
    if (!change) return;
    if (action.kind === 'supersede') return this.#supersede(change, action.pipelines);
    const candidates = await this.#concerned(action.event, change);
    for (const one of candidates) {
      const event = { ...eventOf(action.event, one), pipeline: action.pipeline, time: Date.now() };
      const id = `${action.key}/${change.key}/${one.key}`;
      const view = await this.#views.of(one);
      await this.#telling.sendOf(view, await this.#telling.route(view, { id, event }));
    }
  }

  /** What keeps a change out of pipelines that reacted to what happened to it. */
  async obstacles(id: string): Promise<readonly Obstacle[]> {
    const change = await this.read(id);
    const host = change === null ? undefined : this.host(change.connection);
    if (!change || !host) return [];
    const { events } = await host.readEvents(change.id, 0);
    // Only what it needs counts: what needs it does not keep it out.
    const view = await this.#views.of(change, { open: async () => indexOpen([]) });
    const early = obstacles(view, events, Date.now());
    const found = early.length > 0 ? early : await conflictsIn(view, events, this.#deps.conflictOf);
    const jobless = withoutJobs(await this.#views.subject(view, change), events);
    return [...found, ...jobless.filter((one) => found.every(({ pipeline }) => pipeline !== one.pipeline))];
  }

  async #look(connection: string, id: string, { open = this.#open, mayTell }: Looking): Promise<number> {
    const host = this.host(connection);
    const looked = host && (await lookOnce({ host, changes: this.#changes, handled: this.#handled }, id));
    if (!looked) return 0;
    const { change, events, last, after, seen } = looked;
    const connected = after === 0 ? await this.#deps.connected?.(connection) : undefined;
    if (events.some(movesBranches)) await this.#deps.fetch?.(change.project, change);
    const gated = isGated(this.#deps.layouts, await this.#deps.layouts.current(), change.project);
    if (gated && isUploaded(change, events)) this.#deps.bring?.(change);
    const view = await this.#views.of(change, {
      open,
      seen: seen && { id: change.id, canMerge: seen.canMerge },
    });
    const messages: Routed[] = [];
    for (const event of withoutOldWords(events, connected)) {
      if (await this.#deps.refs?.isKnown(event)) continue;
      const subject = event.change === undefined ? await this.#views.ofRef(view.layout, event) : view;
      messages.push(...(await this.#telling.route(subject, { id: eventId(change.id, event), event })));
    }
    await this.#telling.tell(view, messages, { id: `${change.id}/${last}`, mayTell });
    for (const event of events) await this.#deps.refs?.note(event);
    // Of a project that is not known yet, all is told again once it is.
    if (gated) await this.#handled.mark(change.id, last);
    return events.length;
  }

  /** Looks whether a change to which nothing happened is ready for something: of what was the last, nobody may have told. */
  async #lookAtState(id: string, { connection, open, due }: StateLook): Promise<number> {
    const change = await this.#changes.readIn(connection, id);
    if (!change) return 0;
    const view = await this.#views.of(change, { open });
    for (const other of await unreadyAround(this.#telling.readiness, view)) due.delete(other);
    return this.#telling.tell(view, [], { id: `${change.key}/state/${Date.now()}` });
  }

  async #supersede(change: Change, pipelines: readonly string[]): Promise<void> {
    const facts = factsOf(await this.#deps.layouts.current(), change);
    for (const pipeline of pipelines) {
      const command = { type: 'dequeue', time: Date.now(), pipeline, change: change.id } as const;
      const gate = gateOf(this.#deps.tenant, facts, pipeline);
      await this.#deps.gates.inform(gate, { id: randomUUID(), commands: [command] });
    }
  }

  /** The changes that an event about another change is about, too. */
  async #concerned(event: string, change: Change): Promise<readonly Change[]> {
    const host = this.host(change.connection);
    if (event === 'parent-change-enqueued') return (await host?.changesDependingOn(change.id)) ?? [];
    return ((await host?.listOpenChanges()) ?? []).filter(({ project }) => project === change.project);
  }

  /** A change by any of its names, wherever it is. */
  read(name: string): Promise<Change | null> {
    return this.#changes.read(name);
  }
}
