import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SubmitRequest } from '../../../../activities/review/port.ts';
import { done } from '../../../../infra/gerrit/account.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { messageFor } from '../developer.ts';
import { openDesk } from './desk.ts';
import { connect, sharedGerrit } from './world.ts';

let projects = 0;

/** Three changes on the tip of a branch, each tested on top of the one before it. */
async function openStack(t: TestContext, mode: 'merge' | 'rebase') {
  const gerrit = await sharedGerrit();
  projects += 1;
  const desk = await openDesk(t, gerrit, { project: `together${projects}`, parent: 'All-Projects' });
  const { project } = desk;
  const { host, git } = await connect(t, gerrit, { owns: (name) => name === project });
  const numbers: number[] = [];
  for (const name of ['a', 'b', 'c']) {
    const { number } = await desk.propose({ files: { [name]: name }, message: messageFor(`${name} of ${project}`) });
    const labels = { 'Code-Review': 2, Workflow: 1 };
    await done(gerrit.rest('POST', `/changes/${number}/revisions/1/review`, { labels }));
    numbers.push(number);
  }
  await git.ensure(
    project,
    numbers.map((number) => `refs/changes/${String(number % 100).padStart(2, '0')}/${number}/1`),
  );
  const items = numbers.map((number, index) => {
    const commit = `refs/changes/${String(number % 100).padStart(2, '0')}/${number}/1`;
    const change = { id: `review:${number}`, project, branch: 'master', commit, mode };
    return { key: `${index}`, base: index === 0 ? null : `${index - 1}`, changes: [change] };
  });
  const states = (await git.merge({ items })).map((result) =>
    result.kind === 'ready' ? result.sources[0] : undefined,
  );
  const requests = numbers.map((number, index): SubmitRequest => {
    const [tested, verdict] = [states[index] ?? assert.fail(), { Verified: 2, submit: true }];
    return { change: `review:${number}`, patchset: 1, tested, mode, verdict };
  });
  const statuses = () => Promise.all(requests.map(async ({ change }) => (await host.readChange(change))?.status));
  const verdicts = async () => {
    const found = await Promise.all(requests.map(({ change }) => host.readChange(change)));
    return found.map((change) => change?.votes.find(({ label }) => label === 'Verified')?.value ?? 0);
  };
  return { gerrit, host, git, desk, numbers, requests, statuses, verdicts };
}

for (const mode of ['merge', 'rebase'] as const) {
  test(`changes that stand on each other are merged at once, each as what was tested: ${mode}`, async (t) => {
    const { gerrit, host, desk, requests, statuses } = await openStack(t, mode);
    const before = await desk.fetch('refs/heads/master');
    assert.equal(await host.submitTogether?.(gateActor, requests), 3);
    assert.deepEqual(await statuses(), ['merged', 'merged', 'merged']);
    const commits = requests.map(({ tested }) => tested.commit);
    assert.equal(await desk.fetch('refs/heads/master'), commits[2]);
    // Whoever has not merged them tells the same of each.
    const { host: other } = await connect(t, gerrit, { owns: (name) => name === desk.project });
    for (const [index, { change }] of requests.entries()) {
      const [ours, theirs] = await Promise.all([host.readEvents(change, 1), other.readEvents(change, 1)]);
      assert.deepEqual(ours.events, theirs.events);
      const moved = ours.events.find(({ type }) => type === 'ref-updated');
      assert.deepEqual([moved?.oldrev, moved?.newrev], [commits[index - 1] ?? before, commits[index]]);
    }
    // Asked again, as after an answer that was lost.
    assert.equal(await host.submitTogether?.(gateActor, requests), 0);
    assert.equal((await host.submit(gateActor, requests[0] as SubmitRequest)).kind, 'already-merged');
  });
}

test('those before a change that cannot be merged are merged at once, and it is left as it was', async (t) => {
  const { gerrit, host, desk, numbers, requests, statuses, verdicts } = await openStack(t, 'merge');
  await done(gerrit.rest('POST', `/changes/${numbers[2]}/revisions/1/review`, { labels: { 'Code-Review': 0 } }));
  assert.equal(await host.submitTogether?.(gateActor, requests), 2);
  assert.deepEqual(await statuses(), ['merged', 'merged', 'open']);
  assert.equal((await verdicts())[2], 0);
  assert.equal(await desk.fetch('refs/heads/master'), requests[1]?.tested.commit);
});

test('nothing is merged at once, and no vote stays, where it was tested on another state', async (t) => {
  const cases = ['moved', 'refused', 'not-on-each-other'] as const;
  for (const what of cases) {
    const { gerrit, host, desk, numbers, requests, statuses, verdicts } = await openStack(t, 'merge');
    const before = await desk.fetch('refs/heads/master');
    if (what === 'refused') await done(gerrit.rest('POST', `/changes/${numbers[0]}/abandon`, {}));
    const asked = what === 'not-on-each-other' ? requests.toReversed() : requests;
    if (what === 'moved') {
      const elsewhere = await desk.propose({ files: { z: 'z' }, message: messageFor(`z of ${desk.project}`) });
      await desk.push(`${elsewhere.commit}:refs/heads/master`);
    }
    assert.equal(await host.submitTogether?.(gateActor, asked), 0, what);
    assert.deepEqual((await statuses()).slice(1), ['open', 'open'], what);
    assert.deepEqual(await verdicts(), [0, 0, 0], what);
    if (what !== 'moved') assert.equal(await desk.fetch('refs/heads/master'), before, what);
  }
});

/** What was written on a change, without what Gerrit says by itself. */
async function wordsOn(gerrit: Awaited<ReturnType<typeof openStack>>['gerrit'], number: number | undefined) {
  const { messages } = (await done(gerrit.rest('GET', `/changes/${number}?o=MESSAGES`))) as {
    readonly messages: readonly { readonly message: string; readonly tag?: string }[];
  };
  const ours = messages.filter(({ tag }) => tag?.startsWith('autogenerated:sluice:'));
  return ours.map(({ message }) => message.replace(/^Patch Set 1:[^\n]*\n\n/, ''));
}

const about = { pipeline: 'gate', action: 'success' };
const comments = [{ file: 'a', line: 1, message: 'W: odd' }];

test('the report of a success is said with the votes that its merge wants, and not again', async (t) => {
  const { gerrit, host, desk, numbers, requests } = await openStack(t, 'merge');
  const asked = requests.map((one, index) => ({
    ...one,
    report: { key: `${index}`, message: `Fine ${index}.`, about },
  }));
  assert.equal(await host.submitTogether?.(gateActor, asked.slice(0, 2)), 2);
  assert.equal((await host.submit(gateActor, asked[2] as SubmitRequest)).kind, 'merged');
  // A server that has begun anew knows no more than what Gerrit has.
  const { host: other } = await connect(t, gerrit, { owns: (name) => name === desk.project });
  for (const [index, { change, patchset, report, verdict: body = {} }] of asked.entries()) {
    const said = { ...report, change, patchset, body };
    await host.report(gateActor, said);
    await other.report(gateActor, said);
    if (index === 0) await host.report(gateActor, { ...said, comments });
    assert.equal((await wordsOn(gerrit, numbers[index])).filter((text) => text === `Fine ${index}.`).length, 1);
  }
  const found = (await done(gerrit.rest('GET', `/changes/${numbers[0]}/comments`))) as Record<string, unknown[]>;
  assert.equal(found.a?.length, 1, 'what jobs have found is told, too');
});

test('a success that was told is taken back where nothing is merged, and told again when it is', async (t) => {
  const { gerrit, host, desk, numbers, requests } = await openStack(t, 'merge');
  const [first] = requests;
  assert.ok(first);
  const report = { key: 'k', message: 'Fine.', about };
  const elsewhere = await desk.propose({ files: { z: 'z' }, message: messageFor(`z of ${desk.project}`) });
  await desk.push(`${elsewhere.commit}:refs/heads/master`);
  assert.equal((await host.submit(gateActor, { ...first, report })).kind, 'moved');
  const words = await wordsOn(gerrit, numbers[0]);
  assert.equal(words[0], 'Fine.');
  assert.match(words[1] ?? '', /^Not merged: master of \S+ is no longer what was tested\.$/);
  await host.report(gateActor, { ...report, change: first.change, patchset: 1, body: {} });
  assert.equal((await wordsOn(gerrit, numbers[0])).at(-1), 'Fine.');
});
