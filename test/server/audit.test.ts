import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { buildLayout, defaultTenant } from '../../pipelines/language/language.ts';
import type { Act } from '../../pipelines/policy/act.ts';
import type { BuildView, ChangeShown } from '../../server/api/types.ts';
import { keepSignal } from '../../server/audit.ts';
import type { ServerDeps } from '../../server/deps.ts';
import { aBuild } from './records.ts';
import { startServer, type TestServer } from './server.ts';

const hold = { id: 'h1', builds: [], held: [] };
const holds = {
  add: async () => hold,
  list: async () => [],
  delete: async () => hold,
} as unknown as NonNullable<ServerDeps['holds']>;
const machines = {
  ...{
    platforms: ['debian-12'],
    list: async () => ({ kept: [] }),
    prepare: async () => {},
    expire: async () => ({ removed: [] }),
  },
  unprepared: async () => [],
} as unknown as NonNullable<ServerDeps['machines']>;
const debugging = { open: async () => {}, close: async () => {} } as unknown as NonNullable<ServerDeps['debugging']>;
const releasePlans = {
  ...{ make: async () => ({ id: 'p1' }), act: async () => ({ plan: 'p1' }), remove: async () => ({ plan: 'p1' }) },
  takeBack: async () => ({ plan: 'p2' }),
} as unknown as NonNullable<ServerDeps['releasePlans']>;
const giveMetadata = async () => ({ repository: 'rpm', summary: '' });
const exports = {} as NonNullable<ServerDeps['exports']>;

const canary = 'hunter2-canary';
let server: TestServer;
before(async () => {
  const layout = buildLayout({ tenant: { ...defaultTenant, name: 'main' }, projects: [], files: [] });
  server = await startServer({
    approvals: (connection) => (connection === 'plain' ? { label: 'Workflow', value: 2 } : undefined),
    ...{ holds, machines, debugging, releasePlans, giveMetadata, exports },
    layout: async () => layout,
    configuration: {
      notice: () => null,
      reload: () => ({ file: null, applied: [], restart: [] }),
      mirrorSets: () => [],
    },
  });
  await server.report.recordBuild(aBuild({ id: 'b1', change: 'git:5', job: 'unit' }));
});
after(() => server.stop());

const post = (path: string, body: unknown, token: string | null = server.token) =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });

async function audit(query = '', token = server.token): Promise<readonly Act[]> {
  const headers = { authorization: `Bearer ${token}` };
  return (await (await fetch(`${server.url}/api/audit${query}`, { headers })).json()) as Act[];
}

/** Every route on which people act, by its name in the API's description, and what is kept of it. */
const routes: readonly (readonly [route: string, path: string, body: object, kept: Partial<Act>])[] = [
  ['/api/enqueue', '', { pipeline: 'gate', change: '5' }, asked('enqueue', { pipeline: 'gate' }, 'git:5')],
  ['/api/dequeue', '', { pipeline: 'gate', change: 'p/5' }, asked('dequeue', { pipeline: 'gate' }, 'git:5')],
  ['/api/promote', '', { pipeline: 'gate', changes: ['5'] }, asked('promote', { pipeline: 'gate' }, 'git:5')],
  ['/api/retrigger', '', { change: '5', job: 'unit' }, asked('retrigger', { job: 'unit' }, 'git:5')],
  ['/api/cancel', '', { build: 'b1' }, asked('cancel', { build: 'b1' }, 'git:5')],
  ['/api/reload', '', {}, asked('reload', {})],
  ['/api/changes/{id}/approve', '/api/changes/5/approve', {}, asked('vote', { label: 'Approved', value: 1 }, 'git:5')],
  [
    ...(['/api/changes/{id}/approve', '/api/changes/plain%3A5/approve', {}] as const),
    asked('vote', { label: 'Workflow', value: 2 }, 'plain:5'),
  ],
  [
    ...(['/api/changes/{id}/approve', '/api/changes/plain%3A5/approve', { value: -1 }] as const),
    asked('vote', { label: 'Workflow', value: -1 }, 'plain:5'),
  ],
  ['/api/changes/{id}/comment', '/api/changes/5/comment', { text: canary }, asked('comment', {}, 'git:5')],
  ['/api/changes/{id}/abandon', '/api/changes/5/abandon', {}, asked('abandon', {}, 'git:5')],
  ['/api/changes/{id}/restore', '/api/changes/5/restore', {}, asked('restore', {}, 'git:5')],
  [
    ...(['/api/holds', ''] as const),
    { job: 'unit', change: '6', reason: canary, count: 1, seconds: null },
    asked('hold', { job: 'unit', hold: 'h1' }, 'git:6'),
  ],
  ['/api/holds/delete', '', { id: 'h1' }, asked('hold', { action: 'delete', hold: 'h1' })],
  ['/api/machines/prepare', '', { platform: 'debian-12' }, asked('prepare', { platform: 'debian-12' })],
  ['/api/machines/expire', '', {}, asked('expire', {})],
  ['/api/machines/debug', '', { build: 'b1', seconds: 60 }, asked('debug', { build: 'b1' })],
  ['/api/machines/debug/end', '', { build: 'b1' }, asked('debug', { action: 'end', build: 'b1' })],
  ['/api/exports', '', { buildSet: 'none' }, asked('export', { buildSet: 'none' })],
  ['/api/release-plans', '', { changes: ['5'] }, asked('release', { action: 'plan', plan: 'p1' }, 'git:5')],
  [
    ...(['/api/release-plans/{plan}/commit', '/api/release-plans/p1/commit', {}] as const),
    asked('release', { action: 'commit', plan: 'p1' }),
  ],
  [
    ...(['/api/release-plans/{plan}/revert', '/api/release-plans/p1/revert', {}] as const),
    asked('release', { action: 'revert', plan: 'p1' }),
  ],
  [
    ...(['/api/release-plans/{plan}/remove', '/api/release-plans/p1/remove', {}] as const),
    asked('release', { action: 'remove', plan: 'p1' }),
  ],
  [
    ...(['/api/releases/{repository}/metadata', '/api/releases/rpm/metadata'] as const),
    { given: [{ kind: 'comps', from: canary, text: canary }] },
    asked('release', { action: 'metadata', repository: 'rpm' }),
  ],
  ['/api/releases/revert', '', { change: '5', lines: [] }, asked('release', { action: 'revert' }, 'git:5')],
];

function asked(operation: Act['operation'], about: Act['about'], ...changes: string[]): Partial<Act> {
  return { operation, about, changes };
}

describe('the audit log', () => {
  it('keeps of every route on which people act who asked and for what, and no word that they wrote', async () => {
    for (const [route, path, body, kept] of routes) {
      const begun = Date.now();
      const { status } = await post(path || route, body);
      const [last] = await audit('?limit=1');
      assert.ok(last, route);
      const { id: _, time, by, outcome, reason, ...what } = last;
      assert.deepEqual(what, kept, route);
      assert.deepEqual(by, { name: 'ada', kind: 'person', via: 'token' });
      assert.equal(outcome, status < 400 ? 'done' : 'refused', `${route} ${status} ${reason}`);
      assert.ok(time >= begun && time <= Date.now());
    }
    assert.doesNotMatch(JSON.stringify(await audit('?limit=500')), new RegExp(canary));
  });

  it('misses no route', async () => {
    const { paths } = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as {
      paths: Record<string, { post?: object }>;
    };
    // What programs say to each other.
    const programs =
      /^\/api\/(worker|connection|events|sources|secrets|storage|webhooks?|test)\b|^\/(tests?|webhooks?)\b/;
    const acting = Object.entries(paths).flatMap(([path, { post }]) => (post && !programs.test(path) ? [path] : []));
    assert.deepEqual(acting.sort(), [...new Set(routes.map(([route]) => route))].sort());
  });

  it('keeps what was refused, and why; of a stranger it keeps nothing', async () => {
    server.answer = { ok: false, reason: 'git:5 is not in gate' };
    assert.equal((await post('/api/dequeue', { pipeline: 'gate', change: '5' })).status, 409);
    server.answer = { ok: true };
    const [last] = await audit('?limit=1');
    assert.deepEqual([last?.outcome, last?.reason], ['refused', 'git:5 is not in gate']);
    const before = (await audit('?limit=500')).length;
    assert.equal((await post('/api/dequeue', { pipeline: 'gate', change: '5' }, null)).status, 401);
    assert.equal((await post('/api/dequeue', { pipeline: 'gate', change: '5' }, 'wrong')).status, 401);
    assert.equal((await post('/api/changes/5/abandon', { by: 'eve' })).status, 403);
    const [denied, ...rest] = await audit('?limit=500');
    assert.equal(rest.length, before);
    assert.deepEqual([denied?.operation, denied?.outcome], ['abandon', 'refused']);
    assert.match(denied?.reason ?? '', /you are ada here, and cannot abandon in the name of "eve"/);
  });

  it('is read with the token alone, page by page, by who, what and which change', async () => {
    assert.equal((await fetch(`${server.url}/api/audit`)).status, 401);
    const headers = { authorization: `Bearer ${server.token}` };
    const other = await fetch(`${server.url}/api/audit?operation=nosuch`, { headers });
    assert.equal(other.status, 400);
    assert.match(await other.text(), /operation: expected one of .*retrigger.*audit/);
    const operations = async (query: string) => (await audit(query)).map(({ operation }) => operation);
    assert.deepEqual(await operations('?operation=promote'), ['promote']);
    assert.deepEqual(await operations('?change=6'), ['hold']);
    assert.deepEqual(await operations('?by=nobody'), []);
    const page = await fetch(`${server.url}/api/audit?limit=2`, { headers });
    assert.equal(((await page.json()) as Act[]).length, 2);
    assert.match(page.headers.get('link') ?? '', /^<\/api\/audit\?limit=2&after=[^>]+>; rel="next"$/);
  });

  it('has a reload that a signal has asked for', async () => {
    const by = { name: 'root', kind: 'person', via: 'local' } as const;
    await keepSignal(server.store.acts, by, 'sluice.yaml:3:1: "mirors" is not a known key');
    const [last] = await audit('?limit=1');
    assert.deepEqual([last?.operation, last?.by, last?.outcome], ['reload', by, 'refused']);
  });
});

describe('who did what with a change', () => {
  it('stands on its page and beside its builds', async () => {
    server.answer = { ok: true, buildSet: 'gate-7.1' } as typeof server.answer;
    assert.equal((await post('/api/retrigger', { change: '5', job: 'deb-build' })).status, 200);
    server.answer = { ok: true };
    const again = { id: 'again', change: 'git:5', buildSet: 'gate-7.1', attempt: 2, startTime: Date.now() };
    await server.report.recordBuild(aBuild({ ...again, endTime: null, result: null }));
    await post('/api/cancel', { build: 'again' });
    const shown = (await (await fetch(`${server.url}/api/changes/5/story`)).json()) as ChangeShown;
    assert.deepEqual(shown.byHand.again, 'retriggered by ada, canceled by ada');
    assert.deepEqual(
      shown.acts.slice(-2).map(({ by, text }) => [by, text]),
      [
        ['ada', 'retrigger (job deb-build, build set gate-7.1)'],
        ['ada', 'cancel (build again)'],
      ],
    );
    // Its host tells of these, and nothing was done of the refused ones.
    assert.doesNotMatch(shown.acts.map(({ text }) => text).join('\n'), /^(vote|comment|abandon|restore|dequeue)/m);
    const view = (await (await fetch(`${server.url}/api/builds/again`)).json()) as BuildView;
    assert.deepEqual(view.byHand, { again: 'retriggered by ada, canceled by ada' });
    for (const page of ['/change/git%3A5', '/build/again']) {
      assert.match(await (await fetch(server.url + page)).text(), /retriggered by ada, canceled by ada/);
    }
  });
});
