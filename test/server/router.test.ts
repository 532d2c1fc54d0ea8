import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLocalGit } from '../../activities/git/local.ts';
import { createLayouts, type GatedProject } from '../../activities/layout/layouts.ts';
import { createPrepare } from '../../activities/layout/prepare.ts';
import { must } from '../../activities/process/run.ts';
import { createGitHost } from '../../activities/review/git/adapter.ts';
import { createPeople } from '../../activities/review/git/people.ts';
import { ChangeNotReady } from '../../activities/review/port.ts';
import { createSealer } from '../../activities/secrets/seal.ts';
import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import type { Change, TriggerEvent } from '../../pipelines/model/change.ts';
import { createConflictOf } from '../../server/events/conflict.ts';
import { withFilesByDigest } from '../../server/events/files.ts';
import { EventRouter } from '../../server/events/router.ts';
import { tellTakenOut } from '../../server/events/taken-out.ts';
import type { GateMessage } from '../../workflows/contract.ts';
import type { GateName } from '../../workflows/ids.ts';
import { scratch } from '../activities/git/repository.ts';
import { account, type Desk, gatedProject, messageFor, openDesk } from '../activities/review/developer.ts';
import { change } from '../workflows/make.ts';

const firstConfig = '- job: {name: unit, run: unit.sh}\n- project: {check: {jobs: [unit]}}\n';

/** Real repositories, host, layouts and router, in front of gates that only write down what they are told. */
async function setup(t: TestContext, projects: readonly string[]) {
  const data = await scratch(t);
  const root = join(data, 'git');
  const desks = new Map<string, Desk>();
  for (const name of projects) desks.set(name, await openDesk(join(data, name), await gatedProject(data, name)));
  const gated: GatedProject[] = projects.map((name) => ({ name, connection: 'git', trusted: false, templates: [] }));
  const layouts = createLayouts({
    tenant: 't',
    projects: () => gated,
    git: createLocalGit(root),
    connections: { git: 'git' },
  });
  const host = createGitHost({ root, connection: 'git', page: '' });
  const told: { readonly gate: GateName; readonly message: GateMessage }[] = [];
  const informed: { readonly gate: GateName; readonly message: GateMessage }[] = [];
  const gates = {
    tell: async (gate: GateName, message: GateMessage) => void told.push({ gate, message }),
    inform: async (gate: GateName, message: GateMessage) => void informed.push({ gate, message }),
    ask: async () => ({ ok: true }) as const,
  };
  const known = new Set<string>();
  const ledger = {
    wasTold: async (key: string) => known.has(key),
    markTold: async (key: string) => void known.add(key),
  };
  const held: { id: string }[] = [];
  const kept = new Map<string, string>();
  const blobs = {
    put: async (content: unknown) => {
      const digest = `sha256:${kept.size}`;
      kept.set(digest, String(content));
      return { digest, size: String(content).length };
    },
  };
  const conflictOf = createConflictOf(createLocalGit(root), () => true);
  const brought: string[] = [];
  const bring = ({ ref }: Change) => void brought.push(ref);
  const renewed: string[] = [];
  const renew = async (connection: string) => void renewed.push(connection);
  const outside = { conflictOf, bring, renew };
  const all = { tenant: 't', layouts, hosts: [host], gates, ledger, blobs, held: async () => held, ...outside };
  const router = new EventRouter(all);
  /** Looks as a server does that was connected to the host only now. */
  const lookConnected = async (change: string, time: number) => {
    told.length = 0;
    await new EventRouter({ ...all, connected: async () => time }).look('git', change);
    return told;
  };
  /** Looks as at a host that Sluice is not itself. */
  const foreign = new EventRouter({ ...all, connections: [{ name: 'git', driver: 'git', served: false }] });
  const people = createPeople({ root, connection: 'git', page: '' });
  const look = async (change: string) => {
    told.length = 0;
    await router.look('git', change);
    return told;
  };
  const hear = async (event: TriggerEvent) => {
    told.length = 0;
    await router.hear('git', { id: 'd-1', news: [{ kind: 'event', event }] });
    return told.map(({ message }) => message.id);
  };
  const push = async (project: string, path: string, content: string, message: string) => {
    const desk = desks.get(project);
    await desk?.commit(path, content, message);
    const pushed = await desk?.push('refs/for/master');
    assert.equal(pushed?.code, 0, pushed?.stderr);
  };
  /** Looks as a server does that has not seen anything yet. */
  const lookAnew = async (change: string) => {
    told.length = 0;
    const nothing = { wasTold: async () => false, markTold: async () => {} };
    const deps = { tenant: 't', layouts, hosts: [host], gates, ledger: nothing, blobs, held: async () => held };
    await new EventRouter(deps).look('git', change);
    return told;
  };
  return {
    root,
    layouts,
    router,
    foreign,
    told,
    gated,
    host,
    people,
    held,
    informed,
    kept,
    look,
    lookAnew,
    lookConnected,
    hear,
    push,
    desks,
    brought,
    renewed,
  };
}

test('a change that first brings its project into a pipeline runs there, with the jobs that it brings', async (t) => {
  const { root, layouts, look, push, router } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  const [told, ...more] = await look('1');
  assert.deepEqual(told?.gate, { tenant: 't', pipeline: 'check', queue: 'new' });
  assert.deepEqual(more, [], 'nothing for the pipelines that it does not name');
  assert.deepEqual(
    told.message.commands.map(({ type }) => type),
    ['observe', 'enqueue'],
  );
  const [observed] = told.message.commands;
  const changes = observed?.type === 'observe' ? observed.changes : [];
  const blobs = { put: async () => ({ digest: 'sha256:0', size: 0 }), read: async () => Buffer.from('') };
  const items = [{ key: '1.1', base: null, changes: changes as readonly ChangeFacts[], ahead: [], trigger: '1,1' }];
  const input = { tenant: 't', pipeline: 'check', queue: 'new', items, graphs: {} };
  const [prepared] = await createPrepare({
    layouts,
    git: createLocalGit(root),
    blobs,
    sealer: await createSealer(join(root, 'keys')),
  })(input);
  assert.ok(prepared && 'outcome' in prepared, 'nothing was prepared');
  const { outcome } = prepared;
  assert.deepEqual(outcome.kind === 'ready' && outcome.graph.jobs.map(({ name }) => name), ['unit']);
  const refused = await router.enqueue('gate', '1');
  assert.match(refused.ok ? '' : refused.reason, /new does not use the pipeline gate/);
});

test('so do changes on top of it; those of other projects only join what is there already', async (t) => {
  const { look, push, informed } = await setup(t, ['new', 'other']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  await push('new', 'a', '1', messageFor('on-top'));
  await push('other', 'a', '1', messageFor('other'));
  const pipelines = async (change: string) => (await look(change)).map(({ gate }) => gate.pipeline);
  assert.deepEqual(await pipelines('2'), ['check']);
  assert.deepEqual(await pipelines('3'), []);
  const entering = informed.filter(({ message }) => message.commands.some(({ type }) => type === 'enqueue'));
  assert.deepEqual(
    entering.map(({ gate }) => gate),
    [{ tenant: 't', pipeline: 'check', queue: 'other' }],
  );
});

test('R9: a change that was abandoned while nobody looked is found by the sync, because a gate holds it', async (t) => {
  const { look, push, router, people, held, informed } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  await look('git:1');
  // The server dies here: the change is abandoned, and nobody is told.
  await people.abandon(account('Ada'), '1');
  informed.length = 0;
  assert.equal(await router.lookAtAll('git'), 0, 'it is not among the open ones');
  held.push({ id: 'git:1' }, { id: 'other:7' });
  assert.equal(await router.lookAtAll('git'), 1);
  const seen = informed.flatMap(({ message }) =>
    message.commands.flatMap((one) => (one.type === 'observe' ? one.changes : [])),
  );
  assert.ok(seen.length > 0 && seen.every(({ id, status }) => id === 'git:1' && status === 'abandoned'));
  assert.equal(await router.lookAtAll('git'), 0, 'once');
});

test('I9: a change that cannot be looked at keeps the sync from none of the others; a host that is away ends it', async (t) => {
  const { push, router, host, told } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  for (const n of [2, 3, 4, 5]) await push('new', `other${n}`, 'more', messageFor(`number ${n}`));
  const { readEvents } = host;
  const failing = new Set(['git:1', 'git:3']);
  let asked = 0;
  const flaky: typeof readEvents = async (change, after) => {
    asked += 1;
    if (failing.has(change)) throw new Error(`nothing of ${change} just now`);
    return readEvents(change, after);
  };
  Object.assign(host, { readEvents: flaky });
  await assert.rejects(router.lookAtAll('git'), /nothing of git:[13] just now/);
  const seen = () => new Set(told.flatMap(({ message }) => message.id.split('/')[0] ?? []));
  assert.deepEqual([...seen()].sort(), ['git:2', 'git:4', 'git:5']);
  failing.clear();
  assert.ok((await router.lookAtAll('git')) > 0, 'what failed is found at the next time');
  assert.deepEqual([...seen()].sort(), ['git:1', 'git:2', 'git:3', 'git:4', 'git:5']);
  for (const n of [1, 2, 3, 4, 5]) failing.add(`git:${n}`);
  asked = 0;
  await assert.rejects(router.lookAtAll('git'));
  assert.equal(asked, 3, 'it is not waited for at each of them');
});

test('I9: a vote that comes while a change is looked at is told of a change that has it', async (t) => {
  const { host, people, look, push } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig.replace('check', 'gate'), messageFor('first'));
  await look('git:1');
  const { readEvents } = host;
  const voted: typeof readEvents = async (change, after) => {
    host.readEvents = readEvents;
    await people.vote(account('ada'), '1', { label: 'Approved', value: 1 });
    return readEvents(change, after);
  };
  host.readEvents = voted;
  const [told] = await look('git:1');
  const [observed, enqueued] = told?.message.commands ?? [];
  assert.equal(enqueued?.type === 'enqueue' && enqueued.pipeline, 'gate');
  assert.deepEqual(
    observed?.type === 'observe' && observed.changes[0]?.votes.map(({ label, value }) => [label, value]),
    [['Approved', 1]],
  );
});

test('I9: a change is checked though its host cannot say yet whether what it needs could be merged', async (t) => {
  const { host, people, foreign, told, informed, push } = await setup(t, ['new']);
  const config = firstConfig.replace('{jobs: [unit]}', '{jobs: [unit]}, gate: {jobs: [unit]}');
  await push('new', 'zuul.yaml', config, messageFor('first'));
  await push('new', 'file', 'content', messageFor('second'));
  await people.vote(account('ada'), '2', { label: 'Approved', value: 1 });
  const { canMerge } = host;
  const answers: (typeof canMerge)[] = [
    async (id) => {
      if (id === 'git:1') throw new ChangeNotReady('the host has not said yet');
      return { ok: true };
    },
    async () => ({ ok: true }),
  ];
  const pipelines = async (answer: typeof canMerge) => {
    host.canMerge = answer;
    for (const list of [told, informed]) list.length = 0;
    const failure = await foreign.look('git', 'git:2').then(
      () => undefined,
      (error: Error) => error.name,
    );
    return { failure, told: told.map(({ gate }) => gate.pipeline), informed: informed.length > 0 };
  };
  const [unready, ready] = [await pipelines(answers[0] ?? canMerge), await pipelines(answers[1] ?? canMerge)];
  assert.deepEqual(unready, { failure: 'ChangeNotReady', told: ['check'], informed: false });
  assert.deepEqual(ready, { failure: undefined, told: ['check', 'gate'], informed: true });
});

test('I9: what happened in a project before it was known to be under the gate is told once it is', async (t) => {
  const { push, router, told, gated, brought } = await setup(t, ['new', 'late']);
  const late = gated.pop();
  await push('late', 'zuul.yaml', firstConfig, messageFor('first'));
  await router.lookAtAll('git');
  assert.deepEqual([told, brought], [[], []]);
  if (late !== undefined) gated.push(late);
  assert.ok((await router.lookAtAll('git')) > 0);
  assert.ok(told.length > 0 && told.every(({ gate }) => gate.queue === 'late'));
  assert.equal(await router.lookAtAll('git'), 0, 'once');
  assert.equal(brought.length, 1, 'a patch set is fetched when it is seen first');
});

test('R15: an event has one name, wherever the look that finds it began', async (t) => {
  const { look, lookAnew, push } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  const [first] = (await look('1')).map(({ message }) => message.id);
  await push('new', 'other', 'more', messageFor('second'));
  const again = (await lookAnew('1')).map(({ message }) => message.id);
  assert.ok(first !== undefined && again.includes(first), `${first} is not among ${again}`);
});

test('what a host tells goes to the gates under the name that a look gives it, and not for foreign projects', async (t) => {
  const { look, hear, host, push, router, told, informed, renewed } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  const [event] = (await host.readEvents('git:1', 0)).events;
  assert.ok(event);
  const heard = await hear(event);
  assert.equal(heard.length, 1);
  assert.deepEqual(await hear(event), heard, 'again');
  assert.deepEqual(
    (await look('git:1')).map(({ message }) => message.id),
    heard,
  );
  assert.deepEqual(await hear({ ...event, project: 'foreign' }), []);
  assert.deepEqual(await hear({ ...event, change: 'git:99' }), []);
  await router.hear('git', { id: 'd-3', news: [{ kind: 'projects' }] });
  assert.deepEqual(renewed, ['git']);
  const tip = (await host.branchTip('new', 'master')) ?? '';
  const { change: _, patchset: __, ...moved } = { ...event, type: 'change-merged', ref: 'refs/heads/master' };
  informed.length = 0;
  await hear({ ...moved, oldrev: '0'.repeat(40), newrev: tip });
  assert.deepEqual(
    informed.map(({ gate }) => gate.pipeline),
    ['post'],
  );
  await push('new', 'other', 'more', messageFor('second'));
  told.length = 0;
  const heldBack: number[] = [];
  const mayTell = async () => void heldBack.push(told.length);
  await router.hear('git', { id: 'd-2', news: [{ kind: 'look', change: 'git:2' }] }, { mayTell });
  assert.deepEqual([heldBack, told.length], [[0], 1], 'it is told when it may be');
  assert.equal((await look('git:2')).length, 0, 'it was looked at');
});

test('R4: long lists of files travel by digest, short ones as they are', async () => {
  const kept: string[] = [];
  const blobs = {
    put: async (content: unknown) => {
      kept.push(String(content));
      return { digest: 'sha256:0', size: 1 };
    },
  };
  const files = Array.from({ length: 5_000 }, (_, index) => `source/${index}.c`);
  const slim = await withFilesByDigest(blobs, change('git:1', { files }));
  assert.deepEqual([slim.files, slim.filesIn?.digest], [[], 'sha256:0']);
  assert.deepEqual(JSON.parse(kept[0] ?? ''), files);
  assert.ok(JSON.stringify(slim).length < 2_000);
  for (const few of [change('git:2', { files: ['a'] }), change('git:3', { files: null })]) {
    assert.equal(await withFilesByDigest(blobs, few), few);
  }
});

test('R4: what a change touches is read again where its jobs are chosen', async (t) => {
  const { root, layouts, look, push } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  const [told] = await look('1');
  const [observed] = told?.message.commands ?? [];
  const [facts] = observed?.type === 'observe' ? observed.changes : [];
  assert.ok(facts);
  const sealer = await createSealer(join(root, 'keys'));
  const prepareWith = async (paths: readonly string[]) => {
    const blobs = {
      put: async () => ({ digest: 'sha256:0', size: 0 }),
      read: async () => Buffer.from(JSON.stringify(paths)),
    };
    const slim = { ...facts, files: [], filesIn: { digest: 'sha256:1', size: 1 } };
    const items = [{ key: '1.1', base: null, changes: [slim], ahead: [], trigger: '1,1' }];
    const input = { tenant: 't', pipeline: 'check', queue: 'new', items, graphs: {} };
    const [one] = await createPrepare({ layouts, git: createLocalGit(root), blobs, sealer })(input);
    return one && 'outcome' in one && one.outcome.kind === 'ready'
      ? one.outcome.graph.jobs.map(({ name }) => name)
      : [];
  };
  assert.deepEqual(await prepareWith(['zuul.yaml']), ['unit'], 'its configuration counts');
  assert.deepEqual(await prepareWith(['README']), [], 'it is not said to touch the configuration');
});

test('B5: recheck on a change is heard by the shipped check, other words are not', async (t) => {
  const { look, push, people } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  await look('git:1');
  const heard = async (text: string) => {
    await people.comment(account('Ada'), '1', text);
    return (await look('git:1')).map(({ gate }) => gate.pipeline);
  };
  assert.deepEqual(await heard('looks fine'), []);
  assert.deepEqual(await heard('recheck'), ['check']);
});

test('B2: what is wrong with the configuration that a change brings is a warning of its report', async (t) => {
  const { root, layouts, look, push } = await setup(t, ['new']);
  const typo = '- job: {name: unit, run: unit.sh}\n- project: {check: {jobs: [unit]}, gaet: {jobs: [unit]}}\n';
  await push('new', 'zuul.yaml', typo, messageFor('first'));
  const [told] = await look('1');
  const [observed] = told?.message.commands ?? [];
  const changes = observed?.type === 'observe' ? observed.changes : [];
  const blobs = { put: async () => ({ digest: 'sha256:0', size: 0 }), read: async () => Buffer.from('') };
  const items = [{ key: '1.1', base: null, changes, ahead: [], trigger: '1,1' }];
  const input = { tenant: 't', pipeline: 'check', queue: 'new', items, graphs: {} };
  const sealer = await createSealer(join(root, 'keys'));
  const [prepared] = await createPrepare({ layouts, git: createLocalGit(root), blobs, sealer })(input);
  const outcome = prepared && 'outcome' in prepared ? prepared.outcome : undefined;
  assert.ok(outcome?.kind === 'ready', JSON.stringify(prepared));
  assert.match(outcome.graph.warnings.join('\n'), /zuul\.yaml:2:\d+: .*pipeline "gaet" is not defined/);
});

const gated = '- job: {name: unit, run: unit.sh}\n- project: {check: {jobs: [unit]}, gate: {jobs: [unit]}}\n';

test('W11: an approval that has no effect says why, once it has one no more', async (t) => {
  const { router, people, push, desks } = await setup(t, ['new']);
  const ada = account('Ada');
  const approve = (change: string, label = 'Approved') => people.vote(ada, change, { label, value: 1 });
  const keeping = async (change: string) =>
    (await router.obstacles(change)).map(({ pipeline, reason, latest }) => [pipeline, reason, latest]);
  await push('new', 'zuul.yaml', gated, messageFor('first'));
  await push('new', 'a', '1', messageFor('on-top'));
  assert.deepEqual(await keeping('2'), []);
  await approve('2');
  const unapproved = 'git:1 of new has no vote Approved 1';
  assert.deepEqual(await keeping('2'), [['gate', unapproved, true]]);
  await people.comment(ada, '2', 'recheck');
  assert.deepEqual(await keeping('2'), [['gate', unapproved, false]], 'the comment has its effect');
  await approve('2', 'Wrong');
  assert.deepEqual(await keeping('2'), [
    ['gate', unapproved, false],
    [null, 'no pipeline reacts to the vote Wrong 1', true],
  ]);
  await approve('1');
  await approve('2');
  assert.deepEqual(await keeping('2'), []);
  assert.deepEqual((await people.history('2')).bases, [{ id: 'git:1', patchset: 1, current: 1 }]);
  const desk = desks.get('new');
  await desk?.git('checkout', '-q', 'HEAD~1');
  await desk?.git('rm', '-q', 'start');
  await desk?.git('commit', '-q', '--amend', '--no-edit');
  const pushed = await desk?.push('refs/for/master');
  assert.equal(pushed?.code, 0, pushed?.stderr);
  assert.deepEqual(await keeping('2'), [['gate', unapproved, true]], 'its votes went with the older patch set');
  assert.deepEqual((await people.history('2')).bases, [{ id: 'git:1', patchset: 1, current: 2 }]);
});

test('W11: a vote for a project that has no jobs in the pipeline that would react says so', async (t) => {
  const { router, people, push } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  await people.vote(account('Ada'), '1', { label: 'Approved', value: 1 });
  const [only] = await router.obstacles('1');
  assert.equal(only?.reason, 'new has no jobs in gate, which would react to the vote Approved 1');
});

test('who took a change out of a pipeline stands at the change, and sets nothing off', async (t) => {
  const { host, people, push, look } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  await look('1');
  await tellTakenOut(() => host, { change: 'git:1', patchset: 1, pipeline: 'gate', by: 'ada' });
  const last = (await people.history('1')).happenings.at(-1);
  assert.deepEqual([last?.text, last?.report], ['Taken out of gate by ada.', { pipeline: 'gate', action: 'dequeue' }]);
  assert.deepEqual(await look('1'), []);
});

const filtered = `
- job: {name: unit, run: unit.sh, files: ["^t"]}
- project: {check: {jobs: [unit]}, gate: {jobs: [unit]}}
`;

test('a change that no job of a pipeline is for is told so, and is not brought in by hand', async (t) => {
  const world = await setup(t, ['lib']);
  const { root, router, people, push, desks } = world;
  const desk = desks.get('lib') ?? assert.fail();
  await desk.commit('zuul.yaml', filtered, 'Configuration');
  await must('git', ['--git-dir', join(root, 'lib.git'), 'fetch', '-q', desk.directory, 'HEAD:master']);
  await push('lib', 'README.md', 'hello\n', messageFor('readme'));
  const reason = 'no job of lib there is for the files that it changes: README.md';
  const cure = (pipeline: string) =>
    `Give lib the job \`noop\` in ${pipeline}: it succeeds at once, where no other job is needed.`;
  assert.deepEqual(await router.obstacles('1'), [{ pipeline: 'check', reason, cure: cure('check'), latest: true }]);
  await people.vote(account('Ada'), '1', { label: 'Approved', value: 1 });
  assert.deepEqual(await router.obstacles('1'), [
    { pipeline: 'check', reason, cure: cure('check'), latest: false },
    { pipeline: 'gate', reason, cure: cure('gate'), latest: true },
  ]);
  assert.deepEqual(await router.enqueue('gate', '1'), {
    ok: false,
    reason: `gate does not take it: ${reason}. ${cure('gate')}`,
  });
  const changed = filtered.replaceAll('jobs: [unit]', 'jobs: [unit, noop]');
  await push('lib', 'zuul.yaml', changed, messageFor('noop'));
  assert.deepEqual(await router.obstacles('2'), [], 'what it proposes counts');
  await desk.commit('t-one', '1', messageFor('test'));
  await desk.push('refs/for/master');
  assert.deepEqual(await router.obstacles('3'), []);
});

/** Configuration in force, and a change of a line that the branch changes afterwards, past the gate. */
async function conflicting({ root, desks, push }: Awaited<ReturnType<typeof setup>>) {
  const desk = desks.get('new') ?? assert.fail();
  const move = () => must('git', ['--git-dir', join(root, 'new.git'), 'fetch', '-q', desk.directory, 'HEAD:master']);
  await desk.commit('zuul.yaml', gated, 'Configuration');
  await move();
  await push('new', 'start', 'mine\n', messageFor('mine'));
  await desk.git('checkout', '-q', 'HEAD~1');
  await desk.commit('start', 'theirs\n', 'Theirs');
  return move;
}

test('an approval of what conflicts with its branch brings it into no queue, and that is told at once', async (t) => {
  const world = await setup(t, ['new']);
  const move = await conflicting(world);
  const { router, people, look } = world;
  const enqueued = async () => (await look('1')).map(({ gate }) => gate.pipeline);
  assert.deepEqual(await enqueued(), ['check']);
  await people.vote(account('Ada'), '1', { label: 'Approved', value: 1 });
  assert.deepEqual(await enqueued(), ['gate'], 'what merges comes in');
  await move();
  await people.vote(account('Bob'), '1', { label: 'Approved', value: 1 });
  assert.deepEqual(await enqueued(), [], 'what runs in check goes on');
  const [only] = await router.obstacles('1');
  assert.equal(only?.pipeline, 'gate');
  assert.match(only?.reason ?? '', /^git:1: conflicts in start with master: rebase it/);
  assert.equal(only?.latest, true);
});

test('a recheck of an abandoned change brings it into no queue where the pipeline wants open ones, and says why', async (t) => {
  const world = await setup(t, ['new']);
  await conflicting(world);
  const { router, people } = world;
  await people.abandon(account('Ada'), '1');
  await people.comment(account('Ada'), '1', 'recheck');
  const [only] = await router.obstacles('1');
  assert.deepEqual(only, { pipeline: 'check', reason: 'git:1 of new is not open: it was abandoned', latest: true });
});

test('what was said before Sluice was connected was not said to it; patch sets and votes count', async (t) => {
  const { push, people, look, lookConnected } = await setup(t, ['new']);
  await push('new', 'zuul.yaml', firstConfig, messageFor('first'));
  await people.comment(account('Ada'), '1', 'recheck');
  const told = await lookConnected('1', Date.now() + 60_000);
  assert.equal(told.filter(({ message }) => message.commands.some(({ type }) => type === 'enqueue')).length, 1);
  await people.comment(account('Ada'), '1', 'recheck');
  assert.notDeepEqual(await look('1'), [], 'what is said to it later is heard');
});
