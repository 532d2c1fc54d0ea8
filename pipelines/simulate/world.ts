import type { ChangeFacts } from '../gate/command.ts';
import { unproposed } from '../model/change.ts';
import type { QueuePlacement } from '../model/pipeline.ts';
import { type Given, givenIn, keptIn } from './dialects.ts';
import type { Scenario, ScenarioChange } from './scenario.ts';

/** A change as it stands in the simulated review system. */
interface WorldChange {
  readonly made: ScenarioChange;
  readonly index: number;
  patchset: number;
  files: readonly string[];
  message: string;
  dependsOn: readonly string[];
  status: 'open' | 'merged' | 'abandoned';
  mergeable: boolean;
  votes: readonly Given[];
  /** When the current patch set was made, and when the change merged: steps, counted from 0. */
  madeAt: number;
  mergedAt: number | undefined;
  parentPatchset: number | undefined;
}

/** The simulated review system: changes with their patch sets and votes, and the heads of branches. */
export class World {
  readonly #changes = new Map<string, WorldChange>();
  readonly #facts = new Map<string, ChangeFacts>();
  readonly #refs = new Map<string, ChangeFacts>();
  readonly #revisions = new Map<string, number>();
  readonly #relatives = new Map<string, Set<string>>();
  /** Change to those that it cannot be merged with, noted both ways. */
  readonly #conflicts = new Map<string, Set<string>>();
  readonly #merged: string[] = [];
  #step = 0;
  #connection = 'gerrit';
  #placements: (project: string, branch: string) => Readonly<Record<string, QueuePlacement>> = () => ({});

  constructor(scenario: Scenario) {
    for (const [index, made] of scenario.changes.entries()) this.#add(made, index, scenario.start);
    for (const change of this.#changes.values()) {
      change.parentPatchset = this.#changes.get(change.made.parent ?? '')?.patchset;
      this.#relate(change);
    }
  }

  /** Names of the changes that merged through the gate, in order. */
  get merged(): readonly string[] {
    return this.#merged;
  }

  /** Takes the queues that a new configuration gives to projects. */
  place(placements: (project: string, branch: string) => Readonly<Record<string, QueuePlacement>>): void {
    this.#placements = placements;
    this.#facts.clear();
  }

  /** From now on the changes are in that review system; `place` follows. */
  move(connection: string): void {
    this.#connection = connection;
  }

  /** The change of that name. */
  change(name: string): Readonly<WorldChange> {
    const change = this.#changes.get(name);
    if (!change) throw new Error(`no change ${name}`);
    return change;
  }

  names(): readonly string[] {
    return [...this.#changes.keys()];
  }

  /** Whether a name or id is that of a change, not of a branch or tag. */
  has(name: string): boolean {
    return this.#changes.has(name);
  }

  /** Whether some change is on top of this one. */
  isParent(name: string): boolean {
    return [...this.#changes.values()].some(({ made }) => made.parent === name);
  }

  /** What the review system says of a change or ref. The same object until something about it changes. */
  facts(name: string): ChangeFacts {
    const found = this.#facts.get(name) ?? this.#describe(name);
    this.#facts.set(name, found);
    return found;
  }

  /** The changes that a change is related to by dependencies or topic, through any number of steps, and itself. */
  related(name: string): readonly string[] {
    const seen = new Set<string>();
    const open = [name];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...(this.#relatives.get(next) ?? []));
    }
    return seen.size === 1 ? [name] : [...seen].sort((a, b) => this.#index(a) - this.#index(b));
  }

  patch(name: string, next: { files?: readonly string[]; dependsOn?: readonly string[]; message?: string }): void {
    const change = this.#open(name);
    change.patchset += 1;
    change.files = next.files ?? change.files;
    change.message = next.message ?? change.message;
    change.dependsOn = next.dependsOn ?? change.dependsOn;
    change.votes = keptIn(this.#connection, change.votes);
    this.#step += 1;
    change.madeAt = this.#step;
    this.#relate(change);
  }

  edit(name: string, dependsOn: readonly string[]): void {
    const change = this.#open(name);
    change.dependsOn = dependsOn;
    this.#relate(change);
  }

  /** Leaves a vote, or takes it back with 0. Answers with the value that it replaces. */
  vote(name: string, vote: Given): number {
    const change = this.#open(name);
    const old = change.votes.find((one) => one.label === vote.label && one.by === vote.by);
    const others = change.votes.filter((one) => one !== old);
    change.votes = vote.value === 0 ? others : [...others, vote];
    return old?.value ?? 0;
  }

  setStatus(name: string, status: WorldChange['status']): void {
    this.#open(name).status = status;
  }

  setMergeable(name: string, mergeable: boolean): void {
    this.#open(name).mergeable = mergeable;
  }

  /** Merges a change; `through` tells whether the gate did it. */
  merge(name: string, through: 'gate' | 'outside'): void {
    const change = this.#open(name);
    this.#step += 1;
    change.status = 'merged';
    change.mergedAt = this.#step;
    if (through === 'gate') this.#merged.push(name);
  }

  /** A new commit on a branch or tag; answers with the id of its facts. */
  update(project: string, ref: string): ChangeFacts {
    const at = `${project}@${ref}`;
    const number = (this.#revisions.get(at) ?? 0) + 1;
    this.#revisions.set(at, number);
    return this.#ref({ project, ref, oldrev: revision(number - 1), newrev: revision(number) });
  }

  /** The head of a branch, whatever commit it is, or that commit. */
  head(of: { readonly project: string; readonly branch: string; readonly dereference: boolean }): ChangeFacts {
    const { project, branch, dereference } = of;
    const ref = `refs/heads/${branch}`;
    const newrev = revision(this.#revisions.get(`${project}@${ref}`) ?? 0);
    return this.#ref({ project, ref, ...(dereference ? { newrev } : {}) });
  }

  /** Why a change cannot be merged onto a state: a conflict with something in it, or with what has merged since. */
  conflict(name: string, below: readonly string[]): string | undefined {
    const change = this.change(name);
    if (change.status === 'merged') return undefined;
    const mergedSince = (other: string) => (this.change(other).mergedAt ?? 0) > change.madeAt;
    return [...(this.#conflicts.get(name) ?? [])].find((other) => below.includes(other) || mergedSince(other));
  }

  #add(made: ScenarioChange, index: number, now: number): void {
    const votes = Object.entries(made.labels).map(([label, value]) => ({ label, value, by: 'reviewer', time: now }));
    const { patchset, files, message, dependsOn, mergeable } = made;
    const current = { patchset, files, message, dependsOn, mergeable, votes };
    this.#changes.set(made.name, {
      made,
      index,
      ...current,
      status: 'open',
      madeAt: 0,
      mergedAt: undefined,
      parentPatchset: undefined,
    });
  }

  #open(name: string): WorldChange {
    const change = this.#changes.get(name);
    if (!change) throw new Error(`no change ${name}`);
    this.#facts.delete(name);
    return change;
  }

  #index(name: string): number {
    return this.#changes.get(name)?.index ?? 0;
  }

  /** Notes both ways who is related to whom; relations that ended do no harm. */
  #relate(change: WorldChange): void {
    const { name, parent, topic } = change.made;
    for (const other of change.made.conflicts) {
      link(this.#conflicts, name, other);
      link(this.#conflicts, other, name);
    }
    const others = [...change.dependsOn, ...(parent === undefined ? [] : [parent])];
    const sameTopic = topic === undefined ? [] : [...this.#changes.values()].filter((one) => one.made.topic === topic);
    for (const other of [...others, ...sameTopic.map((one) => one.made.name)]) {
      link(this.#relatives, name, other);
      link(this.#relatives, other, name);
    }
  }

  #describe(name: string): ChangeFacts {
    const found = this.#refs.get(name);
    if (found) return { ...found, placements: this.#placements(found.project, found.branch) };
    const change = this.change(name);
    const { made, patchset, files, message, dependsOn, mergeable, status, votes } = change;
    if (made.ref !== undefined) return this.#ref({ project: made.project, ref: made.ref, id: name });
    return {
      id: name,
      key: `${name},${patchset}`,
      kind: 'change',
      connection: this.#connection,
      project: made.project,
      branch: made.branch,
      ref: `refs/changes/${name}/${patchset}`,
      patchset,
      files,
      message,
      subject: message.split('\n')[0] ?? '',
      owner: made.owner,
      ...(made.topic === undefined ? {} : { topic: made.topic }),
      parents: made.parent === undefined ? [] : [made.parent],
      ...(made.parent === undefined ? {} : { parentPatchsets: { [made.parent]: change.parentPatchset ?? 1 } }),
      dependsOn,
      status,
      current: true,
      wip: false,
      mergeable,
      ...givenIn(this.#connection, votes),
      placements: this.#placements(made.project, made.branch),
    };
  }

  #ref(of: { project: string; ref: string; id?: string; oldrev?: string; newrev?: string }): ChangeFacts {
    const { project, ref, oldrev, newrev } = of;
    const id = of.id ?? `${project}@${ref}`;
    const branch = ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : '';
    const facts: ChangeFacts = {
      ...unproposed,
      id,
      key: newrev === undefined ? id : `${id}@${newrev}`,
      kind: branch === '' ? 'tag' : 'branch',
      connection: this.#connection,
      project,
      branch,
      ref,
      ...(oldrev === undefined ? {} : { oldrev }),
      ...(newrev === undefined ? {} : { newrev }),
      subject: '',
      owner: '',
      placements: this.#placements(project, branch),
    };
    this.#refs.set(facts.id, facts);
    this.#facts.set(facts.id, facts);
    return facts;
  }
}

function link(map: Map<string, Set<string>>, from: string, to: string): void {
  map.set(from, (map.get(from) ?? new Set()).add(to));
}

/** Something that looks like a commit's name. */
function revision(number: number): string {
  return number.toString(16).padStart(40, number === 0 ? '1' : '0');
}
