import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { render } from '../../cli/nodes.ts';
import { emptyDesk, type NodesLease, type NodesRequest } from '../../pipelines/nodes/desk.ts';
import { type NodesFacts, nodesView } from '../../server/nodes-view.ts';
import { renderNodesPage } from '../../web/nodes.ts';
import { heldId, jobId } from '../../workflows/ids.ts';
import { aBuild } from '../server/records.ts';
import { startServer, type TestServer } from '../server/server.ts';
import { runAt } from './run.ts';

const now = 10 * 60_000;
const size = { cores: 2, ramGb: 4 };
const jobOf = (change: string, job = 'deb-build') =>
  jobId({
    ...{ tenant: 'main', pipeline: 'gate', project: 'tinycdb', patchset: 2, key: 'k' },
    change,
    job,
    attempt: 1,
  });

const request = (holder: string, count: number): NodesRequest => ({
  ...{ holder, token: holder, build: `of ${holder}`, queue: 'q', priority: 200 },
  sizes: Array.from({ length: count }, () => size),
});
const lease = (holder: string, count: number, lost = false): NodesLease => ({
  ...request(holder, count),
  fence: 1,
  lost,
});
const record = (id: string, workflow: string, given = {}) =>
  [workflow, aBuild({ id, workflow, change: `git:${id}`, patchset: 2, startTime: now - 60_000, ...given })] as const;

const held = { build: 'b2', host: 'gate', nodes: [], time: now - 120_000, until: now + 3_600_000 };
const facts: NodesFacts = {
  desks: [
    {
      ...{ provider: 'docker', capacity: { maxServers: 5, maxCores: 12 } },
      desk: {
        ...emptyDesk,
        leases: [lease(jobOf('git:1'), 1), lease(heldId('b2'), 1), lease(jobOf('git:9', 'gone'), 2, true)],
        waiting: [request(jobOf('git:3'), 2), request(jobOf('git:4'), 1)],
      },
    },
    { provider: 'vm', capacity: {}, desk: emptyDesk },
  ],
  builds: new Map([
    record('1', jobOf('git:1')),
    record('2', heldId('b2'), { label: 'debian-12 debian-12 debian-13' }),
    record('3', jobOf('git:3'), { waiting: true }),
    record('5', jobOf('git:5', 'install'), { job: 'install', label: 'debian-12-vm' }),
  ]),
  held: new Map([[heldId('b2'), { id: 'h1', job: 'deb-build', held }]]),
  uncounted: [{ provider: 'vm', sizes: [{ cores: 1, ramGb: 0.5 }], workflow: jobOf('git:5', 'install'), build: '5' }],
};

test('I10: what stands ready is listed, and how long making it has taken', () => {
  const node = { label: 'debian-12', size, queue: 'q', since: now - 60_000 } as const;
  const ready = [
    { ...node, id: 'ready-1', state: 'ready', took: 4_210 } as const,
    { ...node, id: 'ready-2', state: 'making' } as const,
    { ...node, id: 'ready-3', state: 'leaving' } as const,
  ];
  const desk = { ...emptyDesk, ready };
  const desks = [{ provider: 'vm', capacity: { maxServers: 5 }, desk }];
  const view = nodesView({ ...facts, desks, uncounted: [] }, now, 200);
  assert.deepEqual(lines(render(view)).slice(0, 7), [
    'PROVIDER | NODES | CORES | MEMORY, GB | JOBS WAITING',
    'vm | 3 of 5, 2 free | 6 | 12',
    '',
    'PROVIDER | LABEL | NODE | SINCE | STATE',
    'vm | debian-12 | ready-1 | 60 s ago | ready: made in 4.2 s',
    'vm | debian-12 | ready-2 | 60 s ago | is being made',
    'vm | debian-12 | ready-3 | 60 s ago | given up: being removed',
  ]);
  assert.match(String(renderNodesPage(view)), /<h2 id="ready">Ready<\/h2>.*made in 4\.2 s/s);
});

test('I10: of several hosts is said who is on which, what each has free, which takes no jobs, and why one waits', () => {
  const far = { name: 'far', queue: 'q', maxServers: 3 };
  const hosts = [far, { name: 'away', queue: 'r', maxServers: 4, shut: 'it does not answer' }];
  const wants = request(jobOf('git:3'), 2);
  const ready = [{ id: 'ready-1', label: 'vm', size, queue: 'q', since: now - 60_000, state: 'ready' } as const];
  const leases = [{ ...lease(jobOf('git:1'), 1), host: 'far' }];
  const desks = [
    { provider: 'vm', capacity: { maxServers: 7, hosts }, desk: { ...emptyDesk, leases, waiting: [wants], ready } },
  ];
  const view = nodesView({ ...facts, desks, uncounted: [] }, now, 200);
  assert.deepEqual(lines(render(view)), [
    'PROVIDER | NODES | CORES | MEMORY, GB | JOBS WAITING',
    'vm | 2 of 7, 1 free | 4 | 8 | 1',
    '',
    'HOST | NODES | CORES | MEMORY, GB | STATE',
    'far | 2 of 3, 1 free | 4 | 8 | takes jobs',
    'away | 0 | 0 | 0 | takes no jobs: it does not answer',
    '',
    'PROVIDER | LABEL | NODE | HOST | SINCE | STATE',
    'vm | vm | ready-1 | far | 60 s ago | ready',
    '',
    'PROVIDER | LABEL | PROJECT | CHANGE | JOB | BUILD | SINCE | SIZE | HOST | STATE',
    'vm | debian-12 | tinycdb | git:1,2 | deb-build | 1 | 60 s ago | 1 node, 2 cores, 4 GB | far | at work',
    '',
    'PLACE | PROVIDER | LABEL | PROJECT | CHANGE | JOB | BUILD | SINCE | WANTS | WHY',
    '1 | vm | debian-12 | tinycdb | git:3,2 | deb-build | 3 | 60 s ago | 2 nodes, 4 cores, 8 GB | ' +
      'far: needs 2 servers, 1 free; away: it does not answer',
  ]);
  const page = String(renderNodesPage(view));
  for (const words of [
    /<h2 id="hosts">Hosts<.*takes no jobs: it does not/s,
    /vm, on far · ready/,
    /on far · at work/,
  ]) {
    assert.match(page, words);
  }
});

const lines = (text: string) => text.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '));

test('I10: nodes says what is free, who has what since when, and who waits for what, in order, and why', () => {
  assert.deepEqual(lines(render(nodesView(facts, now, 200))), [
    'PROVIDER | NODES | CORES | MEMORY, GB | JOBS WAITING',
    'docker | 4 of 5, 1 free | 8 of 12, 4 free | 16 | 2',
    'vm | 1 | 1 | 0.5',
    '',
    'PROVIDER | LABEL | PROJECT | CHANGE | JOB | BUILD | SINCE | SIZE | STATE',
    'docker | debian-12 | tinycdb | git:1,2 | deb-build | 1 | 60 s ago | 1 node, 2 cores, 4 GB | at work',
    'docker | debian-12 ×2 debian-13 | tinycdb | git:2,2 | deb-build | 2 | 2 min 00 s ago | 1 node, 2 cores, 4 GB | ' +
      'hold h1, another 1 h 00 min',
    `docker | tinycdb | git:9,2 | gone | of ${jobOf('git:9', 'gone')} | 2 nodes, 4 cores, 8 GB | ` +
      'its job has ended: being removed',
    'vm | debian-12-vm | tinycdb | git:5,2 | install | 5 | 60 s ago | 1 node, 1 core, 0.5 GB | at work',
    '',
    'PLACE | PROVIDER | LABEL | PROJECT | CHANGE | JOB | BUILD | SINCE | WANTS | WHY',
    '1 | docker | debian-12 | tinycdb | git:3,2 | deb-build | 3 | 60 s ago | 2 nodes, 4 cores, 8 GB | ' +
      'needs 2 servers, 1 free',
    `2 | docker | tinycdb | git:4,2 | deb-build | of ${jobOf('git:4')} | 1 node, 2 cores, 4 GB | 1 other ahead`,
  ]);
});

test('I10: an import by hand is shown with what it has of each provider, and of no change', () => {
  const holder = jobId({
    ...{ tenant: 'main', pipeline: 'by-hand', project: 'by-hand', patchset: 1, key: '3f1a', change: '3f1a' },
    ...{ job: 'import-by-hand', attempt: 1 },
  });
  const desk = { ...emptyDesk, leases: [lease(holder, 1)] };
  const desks = ['docker', 'vm'].map((provider) => ({ provider, capacity: { maxServers: 2 }, desk }));
  const said = lines(render(nodesView({ ...facts, desks, uncounted: [] }, now, 200)));
  for (const provider of ['docker', 'vm']) {
    assert.ok(said.includes(`${provider} | by-hand | import-by-hand | of ${holder} | 1 node, 2 cores, 4 GB | at work`));
  }
});

test('I10: of more nodes than are listed the others are counted', () => {
  const said = lines(render(nodesView(facts, now, 1)));
  assert.ok(said.includes('and 3 others with nodes'));
  assert.ok(said.includes('and 1 other waiting'));
  assert.equal(said.filter((line) => line.includes('tinycdb')).length, 2);
});

let server: TestServer;
before(async () => {
  server = await startServer({ nodes: { look: async () => nodesView(facts, now, 200) } });
  await writeFile(join(server.data, 'sluice.yaml'), 'data: .\n');
});
after(() => server.stop());

async function run(...args: readonly string[]) {
  const { code, stdout: out, stderr: err } = await runAt(server, ['nodes', ...args]);
  return { code, out, err };
}

test('I10: nodes asks the server, without a token, and prints one document with --json', async () => {
  const view = nodesView(facts, now, 200);
  assert.deepEqual(await run(), { code: 0, out: `${render(view)}\n`, err: '' });
  assert.deepEqual(JSON.parse((await run('--json')).out), JSON.parse(JSON.stringify(view)));
});

test('I10: the page says the same, with a way to each build and change', async () => {
  const page = await (await fetch(`${server.url}/nodes`)).text();
  const plain = page.replace(/<(?!\/?a\b)[^>]*>/g, '').replace(/\s+/g, ' ');
  for (const said of [
    'docker 4 of 5 nodes, 1 free · 8 of 12 cores, 4 free · 16 GB of memory',
    '<a href="/build/2">deb-build</a> tinycdb <a href="/change/git%3A2">git:2,2</a>',
    '1 × docker (debian-12 ×2 debian-13), 2 cores, 4 GB · hold h1, another 1 h 00 min',
    '2 × docker, 4 cores, 8 GB · its job has ended: being removed',
    '2 × docker (debian-12), 4 cores, 8 GB · place 1: needs 2 servers, 1 free',
    '1 × docker, 2 cores, 4 GB · place 2: 1 other ahead',
  ]) {
    assert.ok(plain.includes(said), said);
  }
  const strange = { ...facts, uncounted: facts.uncounted.map((one) => ({ ...one, provider: '<b>' })) };
  assert.ok(!renderNodesPage(nodesView(strange, now, 200)).markup.includes('× <b>'), 'nothing of it is markup');
});

test('I10: sizes are sums of fractions, and are shown as what they are', () => {
  const sizes = [0.1, 0.2].map((cores) => ({ cores, ramGb: cores }));
  const uncounted = facts.uncounted.map((one) => ({ ...one, sizes }));
  const { providers, lent } = nodesView({ ...facts, uncounted }, now, 200);
  assert.deepEqual([providers[1]?.used, lent.at(-1)?.ramGb], [{ servers: 2, cores: 0.3, ramGb: 0.3 }, 0.3]);
});

test('I10: machines that are there are listed by their names, with who has them and why they cannot be lent', () => {
  const why = 'cleaning ended with 3: <b>no disk</b>';
  const machines = [
    { name: 'bench-1', labels: ['bench', 'arm'] },
    { name: 'bench-2', labels: ['bench'] },
    { name: 'bench-3', labels: ['bench'], out: why },
  ];
  const one = { ...lease(jobOf('git:1'), 1), sizes: [{ cores: 0, ramGb: 0, label: 'bench' }] };
  const desk = { ...emptyDesk, leases: [{ ...one, machines: [{ label: 'bench', name: 'bench-2' }] }] };
  const view = nodesView({ ...facts, desks: [{ provider: 'static', capacity: { machines }, desk }] }, now, 200);
  assert.deepEqual(view.providers[0]?.most, { maxServers: 3 });
  const said = lines(render(view));
  assert.equal(said[1], 'static | 1 of 3, 1 free');
  const start = said.findIndex((line) => line.startsWith('MACHINE'));
  assert.deepEqual(said.slice(start, start + 4), [
    'MACHINE | LABELS | STATE',
    'bench-1 | bench arm | free',
    `bench-2 | bench | lent to of ${jobOf('git:1')}`,
    `bench-3 | bench | out of service: ${why}`,
  ]);
  assert.ok(said.some((line) => line.includes('| 1 node |') && !line.includes('0 cores')));
  const { markup } = renderNodesPage(view);
  assert.ok(markup.includes('out of service: cleaning ended with 3: &lt;b&gt;no disk'), markup);
});

test('I10: where nobody has any nodes that is said', () => {
  const nobody = { ...facts, desks: [{ provider: 'docker', capacity: {}, desk: emptyDesk }], uncounted: [] };
  assert.deepEqual(lines(render(nodesView(nobody, now, 200))).slice(1), [
    'docker | 0 | 0 | 0',
    '',
    'Nobody has any nodes.',
  ]);
});
