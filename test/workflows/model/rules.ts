import assert from 'node:assert/strict';
import type { GateScene } from './gate-scene.ts';
import type { Merge } from './outside.ts';
import type { Play } from './play.ts';
import { fromPayloads } from './sdk.ts';

type GatePlay = Play<GateScene>;

/** A promotion says `dequeue`, and the change is in again. */
const final = ['success', 'failure', 'merge-conflict', 'config-error', 'no-jobs'];
const entities = ['gate', 'semaphores', 'mirror', 'timers'];

/** Everything that must hold when all has come to rest. @throws what does not */
export async function judge(play: GatePlay): Promise<void> {
  for (const merge of play.scene.outside.merges) testedAsMerged(play, merge);
  for (const { identity, stuck } of play.runs) {
    assert.equal(stuck, undefined, `a task of ${identity.workflowId} fails for ever`);
  }
  oneAtATime(play);
  nothingWaits(play);
  await entitiesRest(play);
  reportedOnce(play);
  reportedAsPromised(play);
  retriggersRan(play);
  lastWordCounts(play);
  answeredAlike(play);
  leftNothing(play);
  for (const run of play.runs) await run.replay();
}

/** What was merged was tested in that very state, by every voting job, with all that was provided on the way to it. */
function testedAsMerged({ scene: { outside }, deeds }: GatePlay, merge: Merge): void {
  const { change, tree, tips, time } = merge;
  const before = outside.merges.slice(0, outside.merges.indexOf(merge));
  const pushed = new Set(deeds.flatMap(({ kind, subject: project }) => (kind === 'push' ? [project] : [])));
  const names = new Set(outside.jobsOf(change).flatMap((job) => (job.voting ? [job.name] : [])));
  for (const name of names) {
    const requires = outside.jobsOf(change).some((job) => job.name === name && job.requires.length > 0);
    const found = outside.stages.some(({ input: { build, sources, provided }, result, began }) => {
      const ours = build.change === change.id && build.patchset === change.patchset && build.job === name;
      const state = (project: string) => sources.find((one) => one.project === project)?.tree;
      const others = sources.every((one) => pushed.has(one.project) || one.tree === tips[one.project]);
      const complete = before.every((one) => provided.some(({ url }) => url === one.tree));
      const tested = state(change.project) === tree && others && (!requires || complete);
      return ours && result === 'SUCCESS' && began < time && tested;
    });
    assert.ok(found, `${change.key} was merged as ${tree}, and ${name} never passed on that`);
  }
}

/**
 * No two runs of jobs that want the same mutex go on at once. What somebody has parted from its job in Temporal's page
 * goes on beside the next one.
 */
function oneAtATime({ scene: { outside }, deeds }: GatePlay): void {
  if (deeds.some(({ kind }) => /^(terminate|reset|lose)/.test(kind))) return;
  const jobs = outside.facts.flatMap((change) => outside.jobsOf(change));
  const wants = jobs.filter(({ semaphores }) => semaphores.some(({ max }) => max === 1)).map(({ name }) => name);
  const runs = outside.stages.filter(({ input: { build } }) => wants.includes(build.job));
  for (const [index, one] of runs.entries()) {
    for (const { input, began } of runs.slice(index + 1)) {
      const other = `${input.build.job} of ${input.build.change}`;
      assert.ok(one.ended === undefined || one.ended <= began, `${other} ran beside ${one.input.build.change}'s`);
    }
  }
}

/** Nothing is open but entities, and no record says otherwise. */
function nothingWaits({ runs, scene: { outside } }: GatePlay): void {
  for (const { id, isOpen, identity } of runs) {
    assert.ok(!isOpen || entities.includes(identity.workflowType), `${id} is open for ever`);
  }
  for (const build of outside.builds.values()) {
    assert.ok(build.endTime !== null, `the record of ${build.id} says that it runs`);
  }
  for (const set of outside.buildSets.values()) {
    assert.ok(set.endTime !== null, `the record of ${set.workflow} says that it runs`);
  }
}

/** The gate is empty, nobody waits for a semaphore: what an ended job holds is taken from it when somebody wants it. */
async function entitiesRest({ runs }: GatePlay): Promise<void> {
  for (const run of runs.filter(({ isOpen }) => isOpen)) {
    if (run.identity.workflowType === 'gate') {
      const { items } = (await run.query('queue')) as {
        items: { changes: { id: string }[]; state: string }[];
      };
      const held = items.map(({ changes, state }) => `${changes.map(({ id }) => id)} (${state})`);
      assert.deepEqual(held, [], `${run.id} holds what nobody works on`);
    }
    if (run.identity.workflowType === 'semaphores') {
      const { waiting } = (await run.query('semaphores')) as { waiting: unknown[] };
      assert.deepEqual(waiting, [], 'semaphores are waited for');
    }
  }
}

/**
 * Each time that a change was brought in it is reported once, unless people take it out again. A gate that is reset
 * forgets what it has said: it works on the items of then anew, and says what comes of that. One that is terminated
 * forgets the items.
 */
function reportedOnce({ scene: { outside }, deeds }: GatePlay): void {
  const count = (what: string) => deeds.filter(({ kind, subject }) => `${kind} ${subject}`.trim() === what).length;
  const resets = count('reset gate');
  if (count('terminate gate') > 0) return;
  for (const { id } of outside.facts) {
    const enqueued = count(`enqueue ${id}`);
    const reports = outside.reports.filter(({ change, action }) => change === id && final.includes(action));
    const told = `${id} was enqueued ${enqueued} times and reported as ${reports.map(({ action }) => action)}`;
    assert.ok(reports.length <= enqueued + resets, told);
    if (enqueued !== 1) continue;
    const others = ['dequeue', 'patchset', 'abandon'].some((kind) => count(`${kind} ${id}`) > 0);
    assert.ok(others || reports.length > 0, told);
    // That jobs have begun is told late, or not at all: it may be the first that is told of an item worked on anew.
    if (resets > 0) continue;
    const start = outside.reports.find((one) => one.change === id && one.action === 'start');
    const [first] = reports;
    assert.ok(!start || !first || start.time <= first.time, `${id} was reported as started after ${first?.action}`);
  }
}

/** What a host may say with the votes of a merge is what is reported after it, word by word. */
function reportedAsPromised({ scene: { outside } }: GatePlay): void {
  for (const { action, change, key, message } of outside.reports) {
    if (action === 'success')
      assert.equal(outside.promised.get(`${key} ${change}`), message, `the report on ${change}`);
  }
}

/** Who asks again gets the same answer. A gate that is terminated or reset has forgotten what it has said. */
function answeredAlike({ scene, deeds }: GatePlay): void {
  if (deeds.some(({ kind }) => /^(terminate|reset) gate$/.test(kind))) return;
  for (const [id, [first, ...others]] of scene.answers) {
    for (const other of others) assert.deepEqual(other, first, `the message ${id} was applied more than once`);
  }
}

/** The sweep is for what hands have parted in Temporal's page: where none have, it finds nothing to mend. */
function leftNothing({ runs, rested, deeds }: GatePlay): void {
  if (deeds.some(({ kind }) => /^(terminate|reset|cancel|by hand)/.test(kind))) return;
  for (const { identity, result } of runs.slice(rested)) {
    if (identity.workflowType !== 'sweep' || !result) continue;
    const [swept] = fromPayloads([result]);
    assert.deepEqual(swept, { closed: 0, lost: 0, concluded: 0 }, 'the sweep had to mend what was left behind');
  }
}

/**
 * The attempts of an item's jobs have all ended when it is merged, and the last of each went well. One that people stop
 * says no more what came of it.
 */
function lastWordCounts({ scene: { outside }, deeds }: GatePlay): void {
  if (deeds.some(({ kind }) => /^(terminate|reset|cancel|stop|lose)/.test(kind))) return;
  for (const { change, time } of outside.merges) {
    const begun = outside.stages.filter(({ input: { build }, began }) => {
      const own = build.change === change.id && build.patchset === change.patchset && began < time;
      return own && outside.builds.get(build.id)?.alone === false;
    });
    // A stage of a build set that was given up may begin after those of the one that counts: the latest by its number.
    const sets = begun.map(({ input: { build } }) => build.buildSet);
    const set = sets.toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true })).at(-1);
    for (const job of outside.jobsOf(change).filter(({ voting }) => voting)) {
      const attempts = begun.filter(({ input: { build } }) => build.buildSet === set && build.job === job.name);
      // A run that was started by hand beside one that is under way is the same attempt: the result of the first counts.
      const latest = attempts.filter(({ input: { build } }) => build.attempt === attempts.at(-1)?.input.build.attempt);
      const [first] = latest.toSorted((one, other) => (one.ended ?? Infinity) - (other.ended ?? Infinity));
      const wentWell = first === undefined || (first.result === 'SUCCESS' && (first.ended ?? Infinity) <= time);
      assert.ok(wentWell, `${change.key} was merged, and its last ${job.name} had not gone well`);
    }
  }
}

/** What was promised to run again has run again before the item's verdict, however long the word takes. */
function retriggersRan({ scene: { outside }, deeds }: GatePlay): void {
  const excuses = ['dequeue', 'patchset', 'abandon'];
  if (deeds.some(({ kind }) => /^(terminate|reset|cancel) (gate|buildset)$/.test(kind))) return;
  for (const { kind, subject, job, answer, time } of deeds) {
    if (kind !== 'retrigger' || !answer?.ok) continue;
    if (deeds.some((deed) => deed.subject === subject && excuses.includes(deed.kind))) continue;
    const merges = outside.merges.filter(({ change }) => change.id === subject);
    const reports = outside.reports.filter((one) => one.change === subject && final.includes(one.action));
    const over = [...merges, ...reports].map((one) => one.time).filter((end) => end > time);
    const ran = outside.stages.some(({ input: { build }, began }) => {
      return build.change === subject && build.job === job && began > time && began < Math.min(...over, Infinity);
    });
    assert.ok(ran, `a retrigger of ${job} of ${subject} was answered with ok, and nothing ran before its verdict`);
  }
}
