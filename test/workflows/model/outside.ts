import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { createGateActivities } from '../../../activities/gate/gate-activities.ts';
import { openRemote } from '../../../activities/git/remote.ts';
import { adoptBy } from '../../../activities/jobs/adopt.ts';
import { askGateBy } from '../../../activities/jobs/ask-gate.ts';
import { createJobActivities } from '../../../activities/jobs/jobs.ts';
import { createOriginActivities } from '../../../activities/jobs/origin.ts';
import { createSemaphoreActivities } from '../../../activities/jobs/semaphores.ts';
import type { ReviewHost, ReviewReport, SubmitRequest, SubmitResult } from '../../../activities/review/port.ts';
import { createSweep } from '../../../activities/sweep/sweep.ts';
import type { ChangeFacts } from '../../../pipelines/gate/command.ts';
import type { SourceState } from '../../../pipelines/model/artifact.ts';
import type { Artifact, FrozenJob, ProvidedArtifact } from '../../../pipelines/model/job.ts';
import { createGateClient, type GateClient } from '../../../server/events/gate-client.ts';
import type {
  BuildRecord,
  BuildSetRecord,
  Prepared,
  PrepareInput,
  QueueSnapshot,
  StageInput,
  StageResult,
  StoredGraph,
} from '../../../workflows/contract.ts';
import { pipelineNamed } from '../make.ts';
import type { Activity, Call } from './attempt.ts';

/** A merge that the host has made. */
export interface Merge {
  readonly change: ChangeFacts;
  readonly tree: string;
  /** Every branch as it is then. */
  readonly tips: Readonly<Record<string, string>>;
  readonly time: number;
}

/** One run of a stage, with what it was given. */
export interface StageRun {
  readonly input: StageInput;
  readonly began: number;
  result: string | null;
  ended?: number;
}

export interface Settings {
  readonly jobs: (change: ChangeFacts) => readonly FrozenJob[];
  readonly failFast: boolean;
  readonly limits: Readonly<Record<string, number>>;
  /** Whether the host merges several changes by one push. */
  readonly mergesTogether: boolean;
  /** What a stage comes to: asked once for each run. */
  readonly verdict: (input: StageInput) => Verdict;
}

/** What a stage comes to; `fault`: another attempt may help, `refusal`: none will. */
export type Verdict = 'SUCCESS' | 'FAILURE' | 'RETRY' | 'fault' | 'refusal';

export const gateName = { tenant: 'main', pipeline: 'gate', queue: 'q' };

/** Every report names its action at the host. */
export const pipeline = (() => {
  const made = pipelineNamed('gate');
  const named = Object.entries(made.reporters).map(([action, rules]) => {
    return [action, rules.map((rule) => ({ ...rule, body: { ...rule.body, action } }))];
  });
  return { ...made, reporters: Object.fromEntries(named) as typeof made.reporters };
})();

/** The outside of the workflows, in memory: a review host, the store, storage, machines that run stages. */
export class Outside {
  readonly changes = new Map<string, ChangeFacts>();
  readonly tips: Record<string, string> = {};
  readonly merges: Merge[] = [];
  /** What a merge was told that will be reported, by the report's key and its change. */
  readonly promised = new Map<string, string>();
  /** How many changes each push brought that merged several. */
  readonly pushes: number[] = [];
  /** Changes that nobody can merge, though the host is there. */
  readonly broken = new Set<string>();
  readonly reports: (ReviewReport & { readonly action: string; readonly time: number })[] = [];
  readonly stages: StageRun[] = [];
  readonly builds = new Map<string, BuildRecord>();
  readonly buildSets = new Map<string, BuildSetRecord>();
  readonly shown = new Map<string, QueueSnapshot>();
  readonly gates: GateClient;
  readonly #settings: Settings;
  readonly #blobs = new Map<string, string>();
  readonly #told = new Set<string>();
  readonly #activities: Record<string, Activity>;
  #event = 0;

  constructor(client: Client, settings: Settings) {
    this.#settings = settings;
    this.gates = createGateClient(client);
    this.#activities = this.#make(client) as Record<string, Activity>;
  }

  readonly activity = (type: string): Activity => {
    const found = this.#activities[type];
    if (!found) throw new Error(`the model's outside has no activity ${type}`);
    return found;
  };

  /** What is known of all changes now. */
  get facts(): readonly ChangeFacts[] {
    return [...this.changes.values()];
  }

  /** Names an event, as the router does. */
  eventId(change: string): string {
    this.#event += 1;
    return `${change}/${this.#event}`;
  }

  /** Tells the gate what is known of the changes, if there is a gate. */
  async show(change: string): Promise<void> {
    const commands = [{ type: 'observe', time: Date.now(), changes: this.facts } as const];
    await this.gates.inform(gateName, { id: `${this.eventId(change)}/observe`, commands });
  }

  #make(client: Client) {
    const blobs = {
      put: async (content: unknown) => this.#keep(String(content)),
      read: async (digest: string) => Buffer.from(this.#blobs.get(digest) ?? ''),
    };
    const jobs = createJobActivities({
      blobs,
      adopt: adoptBy(client),
      latestAttempt: async ({ job }) => {
        const same = [...this.builds.values()].filter((one) => one.job === job.job.name && one.change === job.change);
        return Math.max(0, ...same.filter((one) => one.buildSet === job.buildSet).map((one) => one.attempt));
      },
      archOf: () => 'test',
      defaultArch: 'test',
      unreleased: async () => this.merges.flatMap((merge) => this.#published(merge)),
      isThere: async () => true,
      released: { current: async () => null, has: async () => false },
      repositories: ['deb', 'rpm'],
      saveBuild: async (record) => save(this.builds, record.id, record),
      saveBuildSet: async (record) => save(this.buildSets, record.workflow, record),
    });
    const host = this.#host();
    const gates = createGateActivities({
      host: () => host,
      own: async () => [],
      blobs,
      comments: async () => [],
      look: (_, change) => this.show(change),
      pass: async () => undefined,
    });
    return {
      ...jobs,
      ...gates,
      ...this.#sweeper(client),
      askGate: askGateBy(client),
      ...createOriginActivities(client),
      ...createSemaphoreActivities({ client, limits: async () => this.#settings.limits }),
      prepare: async (input: PrepareInput) => this.#prepare(input),
      projectQueue: async (snapshot: QueueSnapshot) => void this.shown.set(snapshot.workflow, snapshot),
      recordBuild: async (record: BuildRecord) => save(this.builds, record.id, record),
      recordBuildSet: async (record: BuildSetRecord) => save(this.buildSets, record.workflow, record),
      runStage: (input: StageInput, call: Call) => this.#runStage(input, call),
    };
  }

  #sweeper(client: Client) {
    const running = async () => ({ builds: unended(this.builds), buildSets: unended(this.buildSets), releases: [] });
    const report = {
      recordBuild: async (record: BuildRecord) => save(this.builds, record.id, record),
      recordBuildSet: async (record: BuildSetRecord) => save(this.buildSets, record.workflow, record),
      recordRelease: async () => undefined,
    };
    const { sweep } = createSweep({ client, running, report, warn: () => undefined });
    return { sweep };
  }

  async #runStage(input: StageInput, { moment, signal }: Call): Promise<StageResult> {
    const stage: StageRun = { input, began: Date.now(), result: null };
    this.stages.push(stage);
    await moment(`stage ${input.build.job} of ${input.build.change}`);
    if (signal.aborted) throw new CancelledFailure('CANCELLED');
    const verdict = this.#settings.verdict(input);
    if (verdict === 'fault') throw new Error('the machine is away');
    if (verdict === 'refusal') throw ApplicationFailure.nonRetryable('the machine is not to be had');
    stage.result = verdict;
    stage.ended = Date.now();
    return { result: verdict, summary: verdict, artifacts: verdict === 'SUCCESS' ? this.#artifacts(input) : [] };
  }

  /** A job that provides something says of which tree it is. */
  #artifacts({ build, source }: StageInput): readonly Artifact[] {
    const change = this.changes.get(build.change);
    const provides = change !== undefined && this.#provides(build.job, change);
    return provides ? [{ name: 'repository', url: source.tree, metadata: {} }] : [];
  }

  /** What stands for a merged change until it is released, which nothing is here. */
  #published({ change, tree }: Merge): readonly ProvidedArtifact[] {
    const { id, project, patchset } = change;
    const made = this.stages.find(({ input: { build, source }, result }) => {
      return build.change === id && result === 'SUCCESS' && source.tree === tree && this.#provides(build.job, change);
    });
    if (!made) return [];
    const { job } = made.input.build;
    return [{ name: 'repository', url: tree, metadata: {}, project, change: id, patchset, job }];
  }

  #provides(name: string, change: ChangeFacts): boolean {
    return this.#settings.jobs(change).some((job) => job.name === name && job.provides.length > 0);
  }

  #keep(text: string) {
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    this.#blobs.set(digest, text);
    return { digest, size: text.length };
  }

  #prepare(input: PrepareInput): Prepared[] {
    const known = new Map<string, StoredGraph>();
    for (const [key, { digest }] of Object.entries(input.graphs)) {
      known.set(key, JSON.parse(this.#blobs.get(digest) ?? 'null'));
    }
    return input.items.map(({ key, base, changes, ahead }) => {
      const below = base === null ? undefined : known.get(base);
      if (base !== null && !below) throw new Error(`nobody prepared ${base}`);
      const sources = new Map(below?.sources.map((one) => [one.project, one.tree]));
      for (const one of [...ahead, ...changes]) {
        sources.set(one.project, merged(sources.get(one.project) ?? this.tip(one.project), one));
      }
      const nameIn = (job: string, id: string) => (changes.length > 1 ? `${job}@${id}` : job);
      const jobs = changes.flatMap((one) => {
        return this.#settings.jobs(one).map((job) => ({ ...job, key: nameIn(job.key, one.id), change: one.id }));
      });
      const graph = { jobs, failFast: this.#settings.failFast, warnings: [] };
      const states = [...sources].map(([project, tree]) => stateOf(project, tree));
      const stored: StoredGraph = { graph, sources: states, changes, reconfigured: [] };
      known.set(key, stored);
      return { key, graph: this.#keep(JSON.stringify(stored)), outcome: { kind: 'ready', graph } };
    });
  }

  jobsOf(change: ChangeFacts): readonly FrozenJob[] {
    return this.#settings.jobs(change);
  }

  tip(project: string): string {
    return this.tips[project] ?? '';
  }

  #host(): ReviewHost {
    return {
      connection: 'git',
      readChange: async (name) => this.changes.get(name) ?? null,
      readMerged: async () => null,
      readStanding: async () => null,
      listOpenChanges: async () => this.facts.filter(({ status }) => status === 'open'),
      changesDependingOn: async () => [],
      readEvents: async () => ({ events: [], last: 0 }),
      report: async (_actor, report) => {
        if (this.#told.has(`${report.key} ${report.change}`)) return;
        this.#told.add(`${report.key} ${report.change}`);
        this.reports.push({ ...report, action: String(report.body.action), time: Date.now() });
      },
      submit: async (_actor, request) => this.#submit(request),
      ...(this.#settings.mergesTogether
        ? { submitTogether: async (_actor: unknown, requests: readonly SubmitRequest[]) => this.#push(requests) }
        : {}),
      canMerge: async () => ({ ok: true }),
      branches: async (project) => [{ name: 'main', commit: this.tip(project), protected: true }],
      tags: async () => [],
      branchTip: async (project) => this.tip(project),
      listProjects: async () => [],
      gitRemote: (project) => openRemote(project),
    };
  }

  /** The first changes that are still as tested, each on top of the one before, land at once; fewer than two do not. */
  #push(requests: readonly SubmitRequest[]): number {
    const project = requests[0]?.tested?.project ?? '';
    let tip = this.tip(project);
    const left = requests.findIndex(({ change: id, patchset, tested }) => {
      const change = this.changes.get(id);
      const isReady = change?.status === 'open' && change.patchset === patchset && !this.broken.has(id);
      if (!change || !isReady || tested?.tree !== merged(tip, change)) return true;
      tip = tested.tree;
      return false;
    });
    const ready = left < 0 ? requests : requests.slice(0, left);
    if (ready.length < 2) return 0;
    for (const request of ready) this.#submit(request);
    this.pushes.push(ready.length);
    return ready.length;
  }

  #submit({ change: id, patchset, tested, report }: SubmitRequest): SubmitResult {
    if (report) this.promised.set(`${report.key} ${id}`, report.message);
    const change = this.changes.get(id);
    if (!change) return { kind: 'refused', reason: 'there is no such change' };
    if (this.broken.has(id)) throw new Error('its branch cannot be read');
    const { project, status } = change;
    if (status === 'merged') return { kind: 'already-merged', state: stateOf(project, this.tip(project)) };
    if (status === 'abandoned') return { kind: 'refused', reason: 'abandoned' };
    if (change.patchset !== patchset) return { kind: 'refused', reason: `at patch set ${change.patchset}` };
    const tree = merged(this.tip(project), change);
    if (tested !== null && !tested.tree.startsWith(tree)) return { kind: 'moved', reason: 'no longer what was tested' };
    this.tips[project] = tree;
    this.changes.set(id, { ...change, status: 'merged' });
    this.merges.push({ change, tree, tips: { ...this.tips }, time: Date.now() });
    return { kind: 'merged', state: stateOf(project, tree) };
  }
}

/** A tree is what was merged, in order: two are the same when they say the same. */
export function merged(tree: string, change: Pick<ChangeFacts, 'key'>): string {
  return `${tree}[${change.key}]`;
}

function stateOf(project: string, tree: string): SourceState {
  return { project, branch: 'main', commit: `commit ${tree}`, tree };
}

function unended<T extends { readonly endTime: number | null }>(records: ReadonlyMap<string, T>): readonly T[] {
  return [...records.values()].filter(({ endTime }) => endTime === null);
}

/** As the store does: what has ended stays as it is. */
function save<T extends { readonly endTime: number | null }>(records: Map<string, T>, id: string, record: T): void {
  if (records.get(id)?.endTime == null) records.set(id, record);
}
