import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { freePort } from '../../infra/stack/ports.ts';
import type { QueueSnapshot } from '../../workflows/contract.ts';
import { change, frozenJob } from '../workflows/make.ts';
import { Outside, until, World } from '../workflows/world.ts';
import { seen, startBrowser } from './browser.ts';

let world: World;
let browser: Browser;
let page: Page;
let workflows: string;

/** Results that the next builds of `build` come to; a change stays queued while its `lint` is held. */
const results: string[] = [];
let release: () => void;
let held: Promise<void>;

before(async () => {
  const outside = new Outside();
  outside.jobs = ({ id }) => [job('build', id), job('lint', id)];
  outside.stage = async ({ stage }) => {
    if (stage === 'lint') await held;
    const result = stage === 'build' ? (results.shift() ?? 'SUCCESS') : 'SUCCESS';
    return { result: result as 'SUCCESS', summary: `${stage}: ${result}`, artifacts: [] };
  };
  const uiPort = await freePort();
  world = await World.start(outside, { uiPort });
  workflows = `http://127.0.0.1:${uiPort}/namespaces/default/workflows/`;
  await until('the Web UI answers', () =>
    fetch(workflows).then(
      (answer) => answer.ok,
      () => false,
    ),
  );
  browser = await startBrowser();
  page = await browser.newPage({ viewport: { width: 1500, height: 1100 } });
  page.setDefaultTimeout(120_000);
});
after(async () => {
  release();
  await browser?.close();
  await world?.stop();
});

function job(uses: 'build' | 'lint', id: string) {
  const nodes = [{ name: ['node'], label: 'debian-12' }];
  return frozenJob(`deb-${uses}`, { uses, change: id, nodeset: { name: '', nodes, groups: [] } });
}

/** Puts a change into the gate, where its build has ended and its lint goes on until `release` is called. */
async function enqueue(id: string, result: string): Promise<void> {
  held = new Promise((resolve) => {
    release = resolve;
  });
  results.push(result);
  const time = Date.now();
  await world.tell('q', [
    { type: 'observe', time, changes: [change(id)] },
    { type: 'enqueue', time, pipeline: 'gate', change: id },
  ]);
  await until('the build has ended', () => buildsOf(id).some(({ endTime }) => endTime !== null));
  await until('the gate knows', () => shown(id)?.result === result);
}

const buildsOf = (id: string) =>
  [...world.outside.builds.values()].filter((build) => build.change === id && build.job === 'deb-build');

/** How the gate shows the build of a queued change. */
function shown(id: string) {
  const queues: QueueSnapshot[] = [...world.outside.queues.values()];
  const item = queues.flatMap(({ items }) => items).find(({ changes }) => changes[0]?.id === id);
  return item?.jobs.find(({ name }) => name === 'deb-build');
}

/** Final reports on the one patch set of a change. */
const reportsOn = (id: string) =>
  world.outside.told.flatMap((action) =>
    action.kind === 'report' && action.result !== null && action.changes[0] === `${id},1` ? [action] : [],
  );

/** Lets the change go on, and answers with its final report. */
async function finish(id: string) {
  release();
  await until('the final report', () => reportsOn(id).length > 0);
  const [report] = reportsOn(id);
  assert.ok(report);
  return report;
}

/** On a busy machine the page may give up before the server has answered it: a person would load it again. */
async function open(workflow: string): Promise<void> {
  const load = async () => {
    await page.goto(workflows + encodeURIComponent(workflow));
    const actions = seen(page.getByRole('button', { name: 'More Actions' })).waitFor({ timeout: 20_000 });
    return actions.then(
      () => true,
      () => false,
    );
  };
  await until(`the page of ${workflow}`, load, 180_000);
}

async function startLikeThisOne(id: string): Promise<void> {
  await open(buildsOf(id)[0]?.workflow ?? '');
  await seen(page.getByRole('button', { name: 'More Actions' })).click();
  await seen(page.getByTestId('start-workflow-button')).click();
  await page.waitForURL(/start-workflow/);
  // The form is there before what the other one was started with: sent too early, it starts a job without an input.
  await seen(page.locator('.cm-content').filter({ hasText: '"tenant"' })).waitFor();
  for (const [field, value] of [
    ['#workflowType', 'job'],
    ['#taskQueue', 'control'],
  ] as const) {
    await until(`the form has its ${field}`, async () => (await page.locator(field).inputValue()) === value);
  }
  await seen(page.getByRole('button', { name: 'Start Workflow', exact: true })).click();
}

async function reset(id: string): Promise<void> {
  await open(buildsOf(id)[0]?.workflow ?? '');
  await seen(page.getByRole('button', { name: 'Reset', exact: true })).click();
  await seen(page.getByTestId('workflow-reset-event-id-select-button')).click();
  await seen(page.getByRole('option', { name: /^4 - WorkflowTaskCompleted/ })).click();
  await seen(page.getByTestId('reset-confirmation-modal').getByTestId('confirm-modal-button')).click();
}

async function sendUpdate(id: string): Promise<void> {
  const set = [...world.outside.buildSets.values()].find((record) => record.change === id);
  await open(set?.workflow ?? '');
  await seen(page.getByRole('button', { name: 'More Actions' })).click();
  await seen(page.getByTestId('update-button')).click();
  const dialog = seen(page.getByTestId('update-confirmation-modal'));
  await seen(dialog.getByTestId('update-select-button')).click();
  await seen(page.getByRole('option', { name: /^retrigger/ })).click();
  await seen(dialog.getByRole('textbox').last()).fill('"deb-build"');
  await seen(dialog.getByTestId('confirm-modal-button')).click();
}

const ways = [
  { name: 'Start Workflow Like This One', slug: 'start', act: startLikeThisOne },
  { name: 'Reset', slug: 'reset', act: reset },
  { name: 'the Update "retrigger" of the build set', slug: 'update', act: sendUpdate },
];

describe('a job retriggered in Temporal’s Web UI', () => {
  for (const { name, slug, act } of ways) {
    it(`by ${name}: the new result takes the old one’s place in the gate and in the report`, async () => {
      const id = `I-${slug}`;
      await enqueue(id, 'FAILURE');
      await act(id);
      await until(
        'the gate shows the second attempt',
        () => shown(id)?.attempt === 2 && shown(id)?.result === 'SUCCESS',
      );
      assert.deepEqual(
        buildsOf(id).map(({ attempt, result }) => [attempt, result]),
        [
          [1, 'FAILURE'],
          [2, 'SUCCESS'],
        ],
        'both attempts stay visible',
      );
      const report = await finish(id);
      assert.equal(report.result, 'SUCCESS');
      assert.match(report.message, /deb-build SUCCESS/);
      assert.ok(world.outside.merged.includes(id));
    });
  }

  for (const { name, slug, act } of ways.slice(0, 2)) {
    it(`by ${name} after the final report: a run of its own, and no second report`, async () => {
      const id = `I-late-${slug}`;
      await enqueue(id, 'FAILURE');
      assert.equal((await finish(id)).result, 'FAILURE');
      await until('the item has left', () => shown(id) === undefined);
      await act(id);
      await until(
        'the second attempt has ended',
        () => buildsOf(id).filter(({ result }) => result !== null).length === 2,
      );
      const last = buildsOf(id).at(-1);
      assert.deepEqual([last?.attempt, last?.result, last?.alone], [2, 'SUCCESS', true]);
      assert.equal(reportsOn(id).length, 1);
      assert.ok(!world.outside.merged.includes(id));
    });
  }
});
