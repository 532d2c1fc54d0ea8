import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { createFileLogStore } from '../../activities/storage/filesystem/log-store.ts';
import type { ItemSnapshot } from '../../server/api/types.ts';
import type { PendingSteps } from '../../server/pending-steps.ts';
import { aBuild, aBuildSet, aJob, aMirror, anItem, aQueue, aRelease } from '../server/records.ts';
import { startServer, type TestServer } from '../server/server.ts';
import { complaints, startBrowser } from './browser.ts';

let server: TestServer;
let browser: Browser;
let sequence = 0;
/** A Temporal that knows of one job whose worker does not answer. */
const pendingSteps: PendingSteps = async (workflow) =>
  workflow === 'w/lost'
    ? [{ name: 'runStage', attempt: 2, begun: false, waits: 40, fault: 'activity Heartbeat timeout' }]
    : [];
before(async () => {
  [server, browser] = await Promise.all([startServer({ pendingSteps }), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
beforeEach(() => show([]));

/** What the gate tells next. */
async function show(items: readonly ItemSnapshot[]): Promise<void> {
  sequence += 1;
  await server.report.projectQueue(aQueue({ time: sequence, sequence, items }));
}

async function open(path: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<[Page, string[]]> {
  const page = await browser.newPage(options);
  const found = complaints(page);
  await page.goto(server.url + path);
  return [page, found];
}

const started = Date.now() - 60_000;
const running = aJob({ startTime: started });
const failed = aJob({
  result: 'FAILURE',
  startTime: started,
  endTime: started + 5_000,
  summary: 'main.c:7: no such header',
  logUrl: 'http://elsewhere.example/api/builds/failed/log?name=build.log',
});

describe('the page', () => {
  it('follows a change through the gate without being loaded again, and nothing complains', async () => {
    const [page, found] = await open('/');
    await page.getByRole('status').getByText('live').waitFor();
    await page.getByText('nothing in').waitFor();
    await server.report.recordBuild(aBuild({ id: 'now-1', startTime: started, endTime: null, result: null }));
    await show([
      anItem({ jobs: [running, aJob({ key: 'lint', name: 'deb-lint', waiting: ['waits for deb-build'] })] }),
    ]);
    const item = page.getByRole('listitem').filter({ hasText: 'Fix a leak' }).first();
    await item.getByText('waits for deb-build').waitFor();
    await item.getByRole('img', { name: 'running' }).first().waitFor();
    assert.equal(await item.getByRole('link', { name: 'deb-build' }).getAttribute('href'), '/build/now-1');
    await show([anItem({ state: 'failing', reason: 'deb-build failed', jobs: [failed] })]);
    await item.getByText('main.c:7: no such header').waitFor();
    await item.getByRole('img', { name: 'failing' }).waitFor();
    assert.equal(await item.getByRole('link', { name: 'deb-build' }).getAttribute('href'), '/build/failed');
    await show([]);
    await page.getByText('nothing in').waitFor();
    assert.deepEqual(found, []);
    await page.close();
  });

  it('links to Temporal, test repositories, changes, releases and mirrors', async () => {
    const metadata = { type: 'test-repository' };
    const artifacts = [{ name: 'repository', url: '/repositories/test/x/', metadata }];
    await show([anItem({ jobs: [aJob({ ...failed, result: 'SUCCESS', artifacts })] })]);
    await server.report.recordBuildSet(aBuildSet());
    await server.report.recordRelease(aRelease());
    await server.report.recordMirror(aMirror());
    const [page] = await open('/');
    const href = (name: string | RegExp) => page.getByRole('link', { name }).first().getAttribute('href');
    const workflows = 'http://127.0.0.1:8233/namespaces/default/workflows/';
    assert.equal(await href('queue packages in Temporal’s Web UI'), `${workflows}gate%2Fmain%2Fgate%2Fpackages`);
    assert.equal(await href('test repository'), '/repositories/test/x/');
    assert.equal(await href('Fix a leak'), '/change/I1');
    assert.equal(await href('deb repository'), 'http://127.0.0.1:8080/released/deb');
    await page.getByText('deb-2026-01-01-000000 committed').waitFor();
    await page.close();
  });

  it('shows everything without scripts, and takes markup in a change for text', async () => {
    const [first] = anItem().changes;
    assert.ok(first);
    await show([anItem({ changes: [{ ...first, subject: '<img src=x onerror=alert(1)>' }], jobs: [running] })]);
    const [page, found] = await open('/', { javaScriptEnabled: false });
    await page.getByText('<img src=x onerror=alert(1)>').waitFor();
    await page.getByRole('img', { name: 'running' }).first().waitFor();
    assert.deepEqual(found, []);
    await page.close();
  });

  for (const { width, colorScheme } of [
    { width: 360, colorScheme: 'dark' },
    { width: 1600, colorScheme: 'light' },
  ] as const) {
    it(`fits ${width} pixels in the ${colorScheme}, with landmarks, and by the keyboard alone`, async () => {
      const [first] = anItem().changes;
      assert.ok(first);
      const long = { ...first, subject: 'x'.repeat(200), owner: `${'y'.repeat(80)}@example.org` };
      await show([anItem({ changes: [long], jobs: [failed, { ...running, name: 'z'.repeat(120), key: 'z' }] })]);
      const [page] = await open('/', { viewport: { width, height: 800 }, colorScheme });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width, 'no scrolling sideways');
      for (const role of ['banner', 'navigation', 'main', 'status'] as const) {
        assert.equal(await page.getByRole(role).count(), 1, role);
      }
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate('document.activeElement.id'), 'main', 'the first stop skips to the content');
      await page.goto(`${server.url}/change/git:5`);
      await page.evaluate("document.querySelector('h1').textContent = 'x'.repeat(200)");
      assert.equal(
        await page.evaluate('document.documentElement.scrollWidth'),
        width,
        'nor for a long word in a heading',
      );
      await page.close();
    });
  }

  it('keeps the focus where it is while the queue changes around it', async () => {
    await show([anItem({ jobs: [failed] })]);
    const [page] = await open('/');
    await page.getByRole('status').getByText('live').waitFor();
    await page.getByRole('link', { name: 'Fix a leak' }).focus();
    const [first] = anItem().changes;
    assert.ok(first);
    const ahead = anItem({ id: 'gate-0', changes: [{ ...first, id: 'I0', subject: 'First of all' }] });
    await show([ahead, anItem({ ahead: 'gate-0', jobs: [failed, running] })]);
    await page.getByText('First of all').waitFor();
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Fix a leak');
    await page.close();
  });

  it('goes on to say what only the status tells of a job when its queue moves on', async () => {
    const job = aJob({ key: 'lost', name: 'lost', startTime: started });
    const silent = { id: 'lost', job: 'lost', workflow: 'w/lost', startTime: started, endTime: null, result: null };
    await server.report.recordBuild(aBuild(silent));
    await show([anItem({ jobs: [job] })]);
    const page = await browser.newPage();
    const read = page.waitForResponse('**/api/status');
    await page.goto(server.url);
    await (await read).finished();
    await page.getByText('its worker was lost').waitFor();
    await show([anItem({ jobs: [job, failed] })]);
    await page.getByText('main.c:7: no such header').waitFor();
    assert.equal(await page.getByText('its worker was lost').count(), 1);
    await page.close();
  });

  it('says that it is out of date while the stream is away, and finds back to the truth by itself', async () => {
    const page = await browser.newPage();
    await page.route('**/api/events', (route) => route.abort());
    await page.goto(server.url);
    await page.getByRole('status').getByText('reconnecting').waitFor();
    await show([anItem({ jobs: [running] })]);
    await page.unroute('**/api/events');
    await page.getByRole('status').getByText('live').waitFor();
    await page.getByText('Fix a leak').waitFor();
    await page.close();
  });
});

describe('the page of a build', () => {
  it('shows the log as it is written, in sections, and the result when it ends', async () => {
    const logs = createFileLogStore({ root: join(server.data, 'storage'), baseUrl: server.url });
    const build = aBuild({ id: 'logged', startTime: started, endTime: null, result: null, summary: '' });
    await server.report.recordBuild(build);
    const log = await logs.open('logged', 'build.log');
    log.section('Install build dependencies');
    log.write('one <b>line</b>\n');
    const [page, found] = await open('/build/logged');
    await page.getByText('one <b>line</b>').waitFor();
    log.section('Build');
    log.write('another line\n');
    await page.getByText('another line').waitFor();
    assert.equal(await page.locator('#logs details').count(), 2);
    const artifacts = [{ name: 'tinycdb_0.81-1_amd64.deb', url: '/api/artifacts/x/tinycdb.deb' }, await log.close()];
    await server.report.recordBuild({ ...build, result: 'SUCCESS', endTime: Date.now(), summary: 'built', artifacts });
    await page.getByRole('img', { name: 'success' }).first().waitFor();
    await page.getByRole('link', { name: 'tinycdb_0.81-1_amd64.deb' }).waitFor();
    assert.deepEqual(found, []);
    await page.close();
  });

  it('says so when there is no such build', async () => {
    const [page, found] = await open('/build/nothing');
    await page.getByText('There is no build nothing').waitFor();
    assert.match(found.join(), /404/);
    await page.close();
  });
});

it('the page of a change lists what every pipeline made of it', async () => {
  const [page, found] = await open('/change/I1');
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'deb-build' }).first().getAttribute('href'), '/build/logged');
  assert.deepEqual(found, []);
  await page.close();
});

it('F5: the page of a change follows what happens to it, without being loaded again', async () => {
  const [page, found] = await open('/change/git:5');
  await page.getByRole('status').getByText('live').waitFor();
  const build = aBuild({
    id: 'live-1',
    change: 'git:5',
    job: 'systest-live',
    patchset: 1,
    endTime: null,
    result: null,
  });
  await server.report.recordBuild(build);
  const row = page.getByRole('listitem').filter({ hasText: 'systest-live' });
  await row.getByRole('img', { name: 'running' }).waitFor();
  await server.report.recordBuild({ ...build, endTime: build.startTime + 1_000, result: 'SUCCESS' });
  await row.getByRole('img', { name: 'success' }).waitFor();
  assert.deepEqual(found, []);
});
