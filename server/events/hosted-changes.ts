import { ChangeNotReady, foundIn, isAway, type ReviewHost, type SeenChange } from '../../activities/review/port.ts';
import { type Layout, projectSettings } from '../../pipelines/language/language.ts';
import type { Change } from '../../pipelines/model/change.ts';
import { type ChangePlace, type NamedConnection, placesOf } from '../../pipelines/model/change-name.ts';
import { indexOpen, type OpenChanges } from './closure.ts';
import { ownMarks, withMissing } from './host-facts.ts';

/** A review system among others. */
export interface RoutedConnection extends NamedConnection {
  /** Whether Sluice is the host itself: asking it costs nothing, and what may merge is for pipelines alone to say. */
  readonly served: boolean;
}

/** Milliseconds for which the open changes of another host, once read, are good unless it tells of something. */
const freshness = 30_000;

/** What the host has said of the change with an id. */
export interface SeenById extends Pick<SeenChange, 'canMerge'> {
  readonly id: string;
}

export interface Judged {
  readonly changes: readonly Change[];
  /** Of one of them its host cannot say yet what is missing: nothing is said of it, neither yes nor no. */
  readonly unready?: ChangeNotReady;
}

interface Listed {
  readonly time: number;
  readonly answer: Promise<readonly Change[]>;
}

/** The changes of all review systems together: names lead from each to the others. */
export class HostedChanges {
  readonly #hosts: ReadonlyMap<string, ReviewHost>;
  readonly #connections: readonly RoutedConnection[];
  readonly #open = new Map<string, Listed>();
  /** What `Depends-On:` names that are no ids were found to be. */
  readonly #ids = new Map<string, string>();

  constructor(hosts: readonly ReviewHost[], connections?: readonly RoutedConnection[]) {
    this.#hosts = new Map(hosts.map((host) => [host.connection, host]));
    this.#connections = connections ?? hosts.map(({ connection: name }) => ({ name, driver: 'git', served: true }));
  }

  host(connection: string): ReviewHost | undefined {
    return this.#hosts.get(connection);
  }

  /** A change by any of its names, wherever it is; null also where several have it. @throws HostAway where that may be */
  async read(name: string): Promise<Change | null> {
    const places = placesOf(name, this.#connections);
    const asked = places.length > 0 ? places : [...this.#hosts.keys()].map((connection) => ({ connection, name }));
    const [change, ...more] = await foundIn(asked.map((place) => this.#readAt(place)));
    return change === undefined || more.length > 0 ? null : this.resolved(change);
  }

  /** The same where a connection is known to have it; the name may be its id. */
  async readIn(connection: string, name: string): Promise<Change | null> {
    const change = await this.#hosts.get(connection)?.readChange(name);
    return change ? this.resolved(change) : null;
  }

  /** Something was told of a connection: what was read of it is old. */
  stale(connection: string): void {
    const known = this.#open.get(connection);
    if (known !== undefined) this.#open.set(connection, { ...known, time: 0 });
  }

  /** A change was read: the list has it as it is now, and is otherwise as good as it was. */
  note(change: Change): void {
    const known = this.#open.get(change.connection);
    if (known === undefined) return;
    const answer = known.answer.then((list) => {
      const others = list.filter(({ id }) => id !== change.id);
      return change.status === 'open' ? [...others, change] : others;
    });
    // Who asks for the list hears of it.
    answer.catch(() => {});
    this.#open.set(change.connection, { ...known, answer });
  }

  /** An open change of another host as it was read last, as long as that is good; else undefined. */
  async noted(id: string): Promise<Change | undefined> {
    for (const [connection, { time, answer }] of this.#open) {
      if (!id.startsWith(`${connection}:`) || Date.now() - time >= freshness) continue;
      return (await answer.catch(() => [])).find((change) => change.id === id);
    }
    return undefined;
  }

  async listOpen(): Promise<OpenChanges> {
    const lists = await Promise.all([...this.#hosts.keys()].map((connection) => this.#listOpenOf(connection)));
    return indexOpen(await Promise.all(lists.flat().map((change) => this.resolved(change))));
  }

  /**
   * Changes with what their hosts say is missing; Sluice's own host leaves that to pipelines.
   *
   * @param seen what the host has said already of the one with that id
   */
  async judged(layout: Layout, changes: readonly Change[], seen?: SeenById): Promise<Judged> {
    const unready: ChangeNotReady[] = [];
    const judged = changes.map(async (change) => {
      const host = this.#hosts.get(change.connection);
      if (host === undefined || this.#isServed(change.connection)) return change;
      const mode = projectSettings(layout, change.project)?.namedMergeMode;
      const asked = {
        canMerge: (own: readonly string[]) => host.canMerge(change.id, own, mode),
        readChange: () => host.readChange(change.id),
        ...(seen?.id === change.id ? { canMerge: seen.canMerge } : {}),
      };
      return withMissing(asked, change, ownMarks(layout, change.connection)).catch((error) => {
        if (!(error instanceof ChangeNotReady)) throw error;
        unready.push(error);
        return change;
      });
    });
    const found = await Promise.all(judged);
    return { changes: found, ...(unready[0] === undefined ? {} : { unready: unready[0] }) };
  }

  #isServed(connection: string): boolean {
    return this.#connections.some(({ name, served }) => name === connection && served);
  }

  /** A host that is away keeps nobody else's changes from moving: what it had last is taken. */
  async #listOpenOf(connection: string): Promise<readonly Change[]> {
    const host = this.#hosts.get(connection);
    if (host === undefined || this.#isServed(connection)) return host?.listOpenChanges() ?? [];
    const known = this.#open.get(connection);
    if (known !== undefined && Date.now() - known.time < freshness) return known.answer.catch(() => []);
    const answer = host.listOpenChanges();
    this.#open.set(connection, { time: Date.now(), answer });
    return answer.catch(() => known?.answer ?? []).catch(() => []);
  }

  /** `Depends-On:` may name a change of any host; a name that none knows stays as it is written. */
  async resolved(change: Change): Promise<Change> {
    const names = change.dependsOn.filter((name) => !this.#isId(name));
    if (names.length === 0) return change;
    const ids = await Promise.all(change.dependsOn.map((name) => this.#idOf(name)));
    return { ...change, dependsOn: [...new Set(ids)].filter((id) => id !== change.id) };
  }

  #isId(name: string): boolean {
    return this.#connections.some((connection) => name.startsWith(`${connection.name}:`));
  }

  async #idOf(name: string): Promise<string> {
    if (this.#isId(name)) return name;
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const asked = placesOf(name, this.#connections).map((place) => this.#readAt(place));
    // What is needed is not guessed: while one is away that may have it, the name stays, and its change waits.
    const found = await Promise.all(asked).catch((error: unknown) => {
      if (!isAway(error)) throw error;
      return [];
    });
    const [one, ...more] = found.flatMap((each) => each ?? []);
    if (one === undefined || more.length > 0) return name;
    if (this.#ids.size > 10_000) this.#ids.clear();
    this.#ids.set(name, one.id);
    return one.id;
  }

  async #readAt({ connection, name }: ChangePlace): Promise<Change | null> {
    return (await this.#hosts.get(connection)?.readChange(name)) ?? null;
  }
}
