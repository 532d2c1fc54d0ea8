import type { Change } from '../model/change.ts';
import type { ChangeBase, ChangeHappening } from '../model/change-history.ts';
import { approval } from '../policy/veto.ts';
import { adviceAbout, isOperators, needsAdvice, operatorAdvice, otherAtFault } from './advice.ts';
import type { ChangeKnown, KnownBuild, Obstacle } from './change-known.ts';
import { lastReports, lastRun, type Report } from './last-reports.ts';
import { openAgain, pushAgain, readyAdvice, rebaseAdvice, retry, voteFor } from './next-steps.ts';
import { failingIn, placeSentence, waitingIn } from './place-story.ts';
import { basedOnOlder } from './sentences.ts';
import { takenIn } from './taken.ts';

/** What happened to a change, for people: each entry is one sentence. */
export interface ChangeStory {
  readonly state: string;
  /** Why it stands so. */
  readonly why: readonly string[];
  readonly waitsFor: readonly string[];
  /** What its author can do now. */
  readonly next: readonly string[];
}

/** Results of a job that never ran what it is for: no fault of the change. */
const notStarted = new Set<string>(['NODE_FAILURE', 'RETRY_LIMIT', 'ERROR', 'SNAPSHOT_FAILURE', 'RETRY']);

/** Tells what became of a change and why, what it waits for, and what can be done. */
export function changeStory(known: ChangeKnown): ChangeStory {
  const { change, history, places } = known;
  if (change.status === 'merged') {
    const at = history.merged === null ? '' : ` as ${history.merged.slice(0, 12)}`;
    return withReports(known, {
      state: `Merged into ${change.branch}${at}.`,
      waitsFor: known.unmirrored ?? [],
      next: [],
    });
  }
  if (change.status === 'abandoned') {
    return { state: `Abandoned${by(history.happenings)}.`, why: [], waitsFor: [], next: [openAgain(known)] };
  }
  return places.length > 0 ? queued(known) : idle(known);
}

/** A change that pipelines hold: where it is, what has failed there already, and what keeps it from others. */
function queued(known: ChangeKnown): ChangeStory {
  const { places, obstacles, change } = known;
  const elsewhere = obstacles.filter(({ pipeline }) => !places.some((place) => place.pipeline === pipeline));
  const waitsFor = [...places.flatMap(waitingIn), ...elsewhere.map(obstacleSentence), ...needsOf(known)];
  const story = withReports(known, { state: places.map(placeSentence).join(' '), waitsFor, next: [] });
  const failing = places.flatMap(failingIn);
  if (failing.length === 0) {
    const refused = remediesIn(known, ({ pipeline }) => elsewhere.some((one) => one.pipeline === pipeline));
    const rest = refused.length > 0 ? refused : ['Nothing: it goes on by itself.'];
    return { ...story, next: [...needsAdvice(known.needs), ...(change.wip ? [readyAdvice(known)] : rest)] };
  }
  const others = otherAtFault(failing.join('\n'), { id: change.id, action: 'failure' });
  const mend = `Nobody waits for the rest: mend it, then ${pushAgain(known)}.`;
  const next = others === undefined ? [mend] : adviceAbout(others, retry(known, places[0]?.pipeline ?? 'check'));
  return { ...story, why: [...failing, ...story.why], next };
}

/** An open change that no pipeline holds: the last reports on its current patch set say why. */
function idle(known: ChangeKnown): ChangeStory {
  const { change } = known;
  const last = lastReports(known)[0];
  const obstacles = known.obstacles.map(obstacleSentence);
  const cures = curesOf(known);
  if (change.wip) {
    const next = [readyAdvice(known)];
    return withReports(known, { state: 'Work in progress: no gate takes it.', waitsFor: needsOf(known), next });
  }
  if (last === undefined) {
    const state = `Open; no pipeline has reported on patch set ${change.patchset}.`;
    return withReports(known, {
      state,
      waitsFor: [...obstacles, ...needsOf(known), ...votesOf(known)],
      next: [...needsAdvice(known.needs), ...(cures.length > 0 ? cures : [retry(known, 'check')])],
    });
  }
  const state = `Open; ${verdict(last)}.`;
  if (last.report.action === 'success') {
    const refused = remediesIn(known, ({ action }) => !['success', 'no-jobs'].includes(action));
    const votes = isApproved(change) ? [] : [voteFor(known)];
    const next = [...new Set([...needsAdvice(known.needs), ...cures, ...refused, ...votes])];
    return withReports(known, { state, waitsFor: [...obstacles, ...needsOf(known), ...votesOf(known)], next });
  }
  return withReports(known, { state, waitsFor: [...obstacles, ...needsOf(known)], next: remedies(known, last) });
}

function withReports(known: ChangeKnown, story: Omit<ChangeStory, 'why'>): ChangeStory {
  const reasons = known.change.status === 'merged' ? [] : lastReports(known).flatMap((last) => reasonsOf(known, last));
  const lost = known.undelivered.map(({ pipeline, reason }) => `A report of ${pipeline} was given up: ${reason}.`);
  return { ...story, why: [...reasons, ...lost] };
}

function verdict({ report: { pipeline, action } }: Report): string {
  const words: Readonly<Record<string, string>> = {
    success: 'succeeded',
    'merge-conflict': 'could not merge it',
    'config-error': 'could not use its configuration',
    'no-jobs': 'has no jobs for it',
    dequeue: 'let it go before it was done',
  };
  return `${pipeline} ${words[action] ?? 'failed'}`;
}

/** Why a pipeline said no, a sentence for each reason. */
function reasonsOf(known: ChangeKnown, last: Report): readonly string[] {
  const { pipeline, action } = last.report;
  const told = paragraphs(last.text);
  if (action === 'success' || action === 'no-jobs') return [];
  if (action === 'config-error') return [`${pipeline}: its configuration has an error: ${told[1] ?? ''}`];
  if (action === 'merge-conflict') return [`${pipeline}: ${unmergedIn(told)}`];
  const failures = failuresOf(known, last);
  if (failures.length > 0) return failures.map((build) => `${pipeline}: ${failureSentence(build)}`);
  const lines = told.flatMap((text) => text.split('\n'));
  const jobs = lines.filter((line) => line.startsWith('- ') && !/^- \S+ (SUCCESS|SKIPPED)\b/.test(line));
  const said = told.length > 0 ? [told.join(' ')] : [];
  return (jobs.length > 0 ? jobs.map((line) => line.slice(2)) : said).map((line) => `${pipeline}: ${line}`);
}

/** By the paragraph that names change and files, or commits; the ones before it are the pipeline's own words. */
function unmergedIn(told: readonly string[]): string {
  const taken = told.find((text) => takenIn(text) !== undefined);
  if (taken !== undefined) return taken;
  const conflict = told.find((text) => /\bconflicts? (?:in|with)\b/.test(text)) ?? told.at(-1) ?? '';
  return `it has a merge conflict: ${conflict}`;
}

/** The builds that failed in the run that a report is about. */
function failuresOf({ builds }: ChangeKnown, { report, patchset, text }: Report): readonly KnownBuild[] {
  // A report that names no job is about something else than its builds.
  if (text !== null && !/^- /m.test(text)) return [];
  const own = builds.filter((build) => build.pipeline === report.pipeline && build.patchset === patchset);
  return lastRun(own).filter(
    ({ voting, result }) => voting && result !== null && !['SUCCESS', 'SKIPPED', 'CANCELED'].includes(result),
  );
}

function failureSentence({ id, job, result, summary }: KnownBuild): string {
  const why = summary === '' ? '' : `: ${summary}`;
  const log = ` (\`sluice logs ${id}\`)`;
  if (notStarted.has(result ?? '')) return `${job} could not be started or brought to an end${why}${log}`;
  return `${job} ${result === 'TIMED_OUT' ? 'ran out of time' : 'failed'}${why}${log}`;
}

/** What can be done about what such reports say: one pipeline may have said yes since another said no. */
function remediesIn(known: ChangeKnown, about: (report: Report['report']) => boolean): readonly string[] {
  return lastReports(known).flatMap((last) => (about(last.report) ? remedies(known, last) : []));
}

function remedies(known: ChangeKnown, last: Report): readonly string[] {
  const { id } = known.change;
  const { pipeline, action } = last.report;
  const again = retry(known, pipeline);
  const others = otherAtFault(last.text ?? '', { id, action });
  if (others !== undefined) return adviceAbout(others, again);
  const push = pushAgain(known);
  if (action === 'config-error') {
    if (isOperators(last.text ?? '')) return [operatorAdvice(again)];
    return [`Mend the configuration, then ${push}.`];
  }
  if (action === 'merge-conflict') {
    return takenIn(last.text ?? '') !== undefined
      ? [`Rebase it as said, then ${pushAgain(known)}.`]
      : [rebaseAdvice(known)];
  }
  if (action === 'no-jobs') return ['Give the project jobs for this pipeline in its configuration.'];
  const failures = failuresOf(known, last);
  if (failures.length === 0) return [...needsAdvice(known.needs), again];
  if (failures.every(({ result }) => notStarted.has(result ?? ''))) return [`The change is not at fault. ${again}`];
  return [`Mend it, then ${push}.`, `Where the change is not at fault: ${again}`];
}

/** Why something had no effect, as a sentence. */
export function obstacleSentence({ pipeline, reason }: Pick<Obstacle, 'pipeline' | 'reason'>): string {
  return `${pipeline === null ? '' : `${pipeline} does not take it: `}${reason.replace(/\.$/, '')}.`;
}

/** What mends obstacles that stay however often it is tried, each once. */
export function curesOf({ obstacles }: Pick<ChangeKnown, 'obstacles'>): readonly string[] {
  return [...new Set(obstacles.flatMap(({ cure }) => cure ?? []))];
}

/** On which patch set of a parent a change stands, where the parent has a newer one. */
export function baseSentence({ id, patchset, current }: ChangeBase): string {
  return basedOnOlder('It', { on: `${id},${patchset}`, current });
}

function needsOf({ needs, history }: ChangeKnown): readonly string[] {
  const older = history.bases.filter(({ patchset, current }) => patchset < current).map(baseSentence);

  const words = {
    open: 'which is not merged yet',
    abandoned: 'which was abandoned: restore it, or take it out of this change’s needs',
    unknown: 'which is not known here',
  } as const;
  const unmerged = needs.flatMap(({ id, subject, status }) =>
    status === 'merged' ? [] : [`${id}${subject && ` (${subject})`}, ${words[status]}.`],
  );
  return [...older, ...unmerged];
}

function votesOf({ change: { votes } }: ChangeKnown): readonly string[] {
  const against = votes.filter(({ value }) => value < 0);
  if (against.length > 0) return against.map(({ label, value, by: who }) => `${who}, who voted ${label} ${value}.`);
  return isApproved({ votes }) ? [] : ['a vote: nobody has approved this patch set.'];
}

function isApproved({ votes }: Pick<Change, 'votes'>): boolean {
  return votes.some(({ label, value }) => label === approval && value > 0);
}

function by(happenings: readonly ChangeHappening[]): string {
  const last = happenings.findLast(({ type }) => type === 'abandoned');
  return last === undefined ? '' : ` by ${last.by}`;
}

function paragraphs(text: string | null): readonly string[] {
  return (text ?? '').split('\n\n').filter((part) => part.trim() !== '');
}
