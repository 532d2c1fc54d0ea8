import type { Artifact } from '../model/job.ts';
import type { Engine } from './engine.ts';
import { isSame } from './equal.ts';
import type { BuildRecord } from './recorder.ts';
import type { Expectation, ExpectedBuild, ExpectedReport, SimulatedReport } from './scenario.ts';

type Check = (expected: Expectation, engine: Engine) => readonly string[];

/**
 * What of an expectation does not hold, a sentence each.
 *
 * @param when the moment, for the sentences
 */
export function unmetExpectations(expected: Expectation, engine: Engine, when: string): readonly string[] {
  return checks.flatMap((check) => check(expected, engine)).map((failure) => `${when}: ${failure}`);
}

const checks: readonly Check[] = [
  ({ merged }, { world }) => same('merged', merged, world.merged),
  ({ reports }, { recorder }) => exactly('reports', reports, recorder.reports, matchesReport),
  ({ orderedReports }, { recorder }) => inOrder(orderedReports, recorder.reports),
  ({ builds }, { recorder }) => exactly('builds', builds, recorder.builds, matchesBuild),
  ({ buildsInclude = [] }, { recorder }) =>
    buildsInclude
      .filter((one) => !recorder.builds.some((build) => matchesBuild(one, build)))
      .map((one) => `no build is ${show(one)}`),
  ({ buildsExclude = [] }, { recorder }) =>
    buildsExclude
      .filter((one) => recorder.builds.some((build) => matchesBuild(one, build)))
      .map((one) => `a build is ${show(one)}`),
  ({ counts = {} }, { recorder }) => limits('builds of', counts, recorder.counts, (wanted, found) => wanted === found),
  ({ maxParallel = {} }, { recorder }) =>
    limits('parallel builds of', maxParallel, recorder.mostParallel, (wanted, found) => found <= wanted),
  ({ running }, { recorder }) => exactly('running', running, recorder.builds.filter(isRunning), matchesBuild),
  ({ queue, pipeline }, engine) =>
    same(`queue of ${pipeline}`, queue, pipeline === undefined ? [] : queueOf(engine, pipeline)),
  ({ window, pipeline, project }, engine) =>
    pipeline === undefined ? [] : same(`window of ${pipeline}`, window, windowOf(engine, pipeline, project)),
  messages,
  ({ configErrorsInclude = [] }, { layouts }) =>
    configErrorsInclude
      .filter((text) => !layouts.problems.some(({ message }) => contains(message, text)))
      .map((text) => `no configuration error says ${show(text)}`),
  ({ end }, { recorder }) => same('end', end === undefined ? undefined : end / 1000, recorder.end),
  ({ before }, { recorder }) =>
    before === undefined || recorder.end < before / 1000
      ? []
      : [`the last build ended at ${recorder.end}s, not before ${before / 1000}s`],
];

function messages({ messagesInclude = [] }: Expectation, { recorder }: Engine): readonly string[] {
  return messagesInclude
    .filter(
      ({ change, text }) =>
        !recorder.messages.some(
          (message) => (change === undefined || message.changes.includes(change)) && contains(message.text, text),
        ),
    )
    .map((one) => `no report is ${show(one)}`);
}

function isRunning(build: BuildRecord): boolean {
  return build.result === null && !build.paused;
}

/** Live items in order, each by its first change. */
function queueOf({ state, nameOf }: Engine, pipeline: string): readonly string[] {
  const items = state.queues.filter((queue) => queue.pipeline === pipeline).flatMap((queue) => queue.items);
  return items.filter((item) => item.live).map((item) => nameOf(item.changes[0] ?? ''));
}

/** The window of a pipeline's queue, or the one that a queue would begin with. */
function windowOf({ state, layouts }: Engine, pipeline: string, project: string | undefined): number | undefined {
  const queues = state.queues.filter((queue) => queue.pipeline === pipeline && queue.lasting);
  const place = project === undefined ? undefined : layouts.placements(project, 'master')[pipeline]?.queue;
  const queue = place === undefined ? queues[0] : queues.find((one) => one.name === place);
  return queue?.window ?? state.pipelines.find((one) => one.name === pipeline)?.window.size;
}

function matchesReport(expected: ExpectedReport, report: SimulatedReport): boolean {
  const { change, pipeline, result } = expected;
  if (change !== undefined && change !== report.change) return false;
  return (pipeline === undefined || pipeline === report.pipeline) && (result === undefined || result === report.result);
}

/** Artifacts may be those that the build made or those that it was given. */
function matchesBuild(expected: ExpectedBuild, build: BuildRecord): boolean {
  const { artifacts, ...plain } = expected;
  const fits = (found: readonly Artifact[]) => artifacts === undefined || areArtifacts(artifacts, found);
  if (!fits(build.artifacts) && !fits(build.received)) return false;
  return Object.entries(plain).every(([key, value]) => isSame(value, build[key as keyof BuildRecord]));
}

function areArtifacts(expected: readonly Readonly<Record<string, unknown>>[], found: readonly Artifact[]): boolean {
  if (expected.length !== found.length) return false;
  return expected.every((one, index) =>
    Object.entries(one).every(([key, value]) => isSame(value, found[index]?.[key as keyof Artifact])),
  );
}

function same<T>(what: string, expected: T | undefined, found: T): readonly string[] {
  if (expected === undefined || isSame(expected, found)) return [];
  return [`${what}: expected ${show(expected)}, found ${show(found)}`];
}

/** Every expected entry matches one that was found, and none is left over. */
function exactly<E, F>(
  what: string,
  expected: readonly E[] | undefined,
  found: readonly F[],
  matches: (expected: E, found: F) => boolean,
): readonly string[] {
  if (expected === undefined) return [];
  const partner = pairUp(expected, found, matches);
  const missing = expected.filter((_, index) => !partner.has(index));
  const used = new Set(partner.values());
  const extra = found.filter((_, index) => !used.has(index));
  return [
    ...missing.map((one) => `${what}: missing ${show(one)}`),
    ...extra.map((one) => `${what}: unexpected ${show(one)}`),
  ];
}

/** The largest set of pairs, by augmenting paths: entries may leave keys out, and fit several. */
function pairUp<E, F>(
  expected: readonly E[],
  found: readonly F[],
  matches: (e: E, f: F) => boolean,
): Map<number, number> {
  const owner = new Map<number, number>();
  const place = (index: number, seen: Set<number>): boolean => {
    const one = expected[index];
    if (one === undefined) return false;
    return found.some((other, at) => {
      if (seen.has(at) || !matches(one, other)) return false;
      seen.add(at);
      const rival = owner.get(at);
      if (rival !== undefined && !place(rival, seen)) return false;
      owner.set(at, index);
      return true;
    });
  };
  expected.forEach((_, index) => {
    place(index, new Set());
  });
  return new Map([...owner].map(([at, index]) => [index, at]));
}

function inOrder(
  expected: readonly ExpectedReport[] | undefined,
  found: readonly SimulatedReport[],
): readonly string[] {
  if (expected === undefined) return [];
  const fits =
    expected.length === found.length &&
    expected.every((one, index) => {
      const report = found[index];
      return report !== undefined && matchesReport(one, report);
    });
  if (fits) return [];
  const shown = found.map(({ change, pipeline, result }) => ({ change, pipeline, result }));
  return [`ordered-reports: expected ${show(expected)}, found ${show(shown)}`];
}

function limits(
  what: string,
  expected: Readonly<Record<string, number>>,
  found: ReadonlyMap<string, number>,
  holds: (expected: number, found: number) => boolean,
): readonly string[] {
  return Object.entries(expected)
    .filter(([job, number]) => !holds(number, found.get(job) ?? 0))
    .map(([job, number]) => `${what} ${job}: expected ${number}, found ${found.get(job) ?? 0}`);
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
