import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createGateActivities } from '../../../activities/gate/gate-activities.ts';
import type { MergeMode } from '../../../activities/git/merge.ts';
import type { Git } from '../../../activities/git/port.ts';
import type { ReviewHost } from '../../../activities/review/port.ts';
import type { MergeStep, SourceState } from '../../../pipelines/model/artifact.ts';
import type { Submitted } from '../../../workflows/contract.ts';
import { change as makeChange } from '../../workflows/make.ts';
import type { ReviewWorld } from './contract.ts';

/** Changes of one host that are members of a cycle. */
export interface Members {
  readonly host: ReviewHost;
  readonly git: Git;
  readonly changes: readonly string[];
  /** What the pipeline's success says there. */
  readonly body?: Readonly<Record<string, unknown>>;
}

export interface Item {
  /** As the last change of each branch has left it. */
  readonly sources: readonly SourceState[];
  readonly steps: readonly MergeStep[];
  /** As the gate's workflow has it merged. */
  submit(): Promise<Submitted>;
}

/** An item of several changes, merged as it is for a test. */
export async function prepareItem(parts: readonly Members[], mode: MergeMode = 'merge'): Promise<Item> {
  const all = await Promise.all(parts.map((part) => mergeAll(part, mode)));
  const [facts, sources, steps] = [
    all.flatMap((one) => one.facts),
    all.flatMap((one) => one.sources),
    all.flatMap((one) => one.steps),
  ];
  const stored = { sources, steps, changes: facts, graph: null, reconfigured: [] };
  const ref = { digest: 'sha256:0', size: 1 };
  const { submit } = createGateActivities({
    host: (name) => parts.find(({ host }) => host.connection === name)?.host,
    blobs: { put: async () => ref, read: async () => Buffer.from(JSON.stringify(stored)) },
    own: async () => ['Verified', 'sluice/gate'],
    comments: async () => [],
    look: async () => {},
    pass: async () => {},
  });
  const rules = parts.map(({ host, body }) => ({ connection: host.connection, body: { submit: true, ...body } }));
  const name = { tenant: 'main', pipeline: 'gate', queue: 'q', key: '1.1/submit' };
  return { sources, steps, submit: () => submit({ ...name, changes: facts, rules, graph: ref }) };
}

async function mergeAll({ host, git, changes }: Members, mode: MergeMode) {
  const facts = await Promise.all(
    changes.map(async (id) => ({ ...makeChange(id), ...((await host.readChange(id)) ?? assert.fail(id)) })),
  );
  for (const { project, ref } of facts) await git.ensure(project, [ref]);
  const proposals = facts.map(({ id, project, branch, ref: commit }) => ({ id, project, branch, commit, mode }));
  const [made] = await git.merge({
    items: [{ key: facts.map(({ key }) => key).join(), base: null, changes: proposals }],
  });
  assert.ok(made?.kind === 'ready', JSON.stringify(made));
  return { facts, sources: made.sources, steps: made.steps };
}

export interface CycleCase {
  readonly open: (t: TestContext) => Promise<ReviewWorld>;
  readonly modes?: readonly MergeMode[];
}

/** What an item of several changes of one host comes to: all of them merge, as they were tested, or none. */
export function testCycles(name: string, { open, modes = ['merge'] }: CycleCase): void {
  const begin = async (t: TestContext, places: readonly string[], mode?: MergeMode) => {
    const world = await open(t);
    const changes: string[] = [];
    for (const [index, project] of places.entries())
      changes.push(await world.push({ project, file: `file-${index}`, content: `${index}\n` }));
    const { host, git } = world;
    const item = await prepareItem([{ host, git, changes }], mode);
    const statuses = () => Promise.all(changes.map(async (id) => (await host.readChange(id))?.status));
    return { ...world, ...item, changes, keys: changes.map((id) => `${id},1`), statuses };
  };

  for (const mode of modes) {
    test(`${name}: a cycle of two projects, one of them twice, merges as it was tested: ${mode}`, async (t) => {
      const { host, git, submit, sources, keys, statuses } = await begin(t, ['alpha', 'beta', 'alpha'], mode);
      assert.deepEqual(await submit(), { merged: keys });
      assert.deepEqual(new Set(await statuses()), new Set(['merged']));
      for (const { project, branch, tree } of sources) {
        const tip = (await host.branchTip(project, branch)) ?? '';
        await git.ensure(project, []);
        assert.equal((await git.resolve(project, tip)).tree, tree, project);
      }
      // Asked again, as after an answer that was lost.
      assert.deepEqual(await submit(), { merged: keys });
    });
  }

  for (const places of [
    ['alpha', 'alpha'],
    ['alpha', 'beta'],
  ]) {
    test(`${name}: nothing of a cycle of ${places.join(', ')} merges where the last cannot`, async (t) => {
      const { host, abandon, changes, submit, statuses, sources } = await begin(t, places);
      const tips = () => Promise.all(sources.map(({ project, branch }) => host.branchTip(project, branch)));
      const before = await tips();
      await abandon(changes[1] ?? '');
      const answer = await submit();
      assert.deepEqual(answer.merged, [], JSON.stringify(answer));
      assert.ok(answer.refused);
      assert.deepEqual([await statuses(), await tips()], [['open', 'abandoned'], before]);
    });
  }

  test(`${name}: nothing of a cycle merges where the branch of the last was moved by somebody else`, async (t) => {
    const { moveBranch, submit, statuses } = await begin(t, ['alpha', 'beta']);
    await moveBranch('beta');
    const answer = await submit();
    assert.deepEqual([answer.merged, typeof answer.moved], [[], 'string'], JSON.stringify(answer));
    assert.deepEqual(await statuses(), ['open', 'open']);
  });
}
