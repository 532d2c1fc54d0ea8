import assert from 'node:assert/strict';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { must } from '../../../../activities/process/run.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { scratch } from '../../git/repository.ts';
import { gitea, useGitea } from './site.ts';
import { openWorld, pathOf, until } from './world.ts';

const site = useGitea();

type Files = Readonly<Record<string, string>>;
/** What somebody does in a work tree. */
type Deed = (directory: string) => Promise<void>;

const lines = (...all: string[]) => `${all.join('\n')}\n`;
const numbers = Array.from({ length: 40 }, (_, index) => `line ${index}`);
const block = ['begin', '  step', 'end'];

function write(files: Files): Deed {
  return async (directory) => {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), content);
    }
  };
}

const move =
  (from: string, to: string): Deed =>
  async (directory) => {
    await mkdir(dirname(join(directory, to)), { recursive: true });
    await rename(join(directory, from), join(directory, to));
  };

interface Row {
  readonly says: string;
  readonly base: Files;
  readonly ours: Deed;
  readonly theirs: Deed;
  /** Git itself finds a conflict. */
  readonly refused?: true;
  /** Gitea alone finds one. */
  readonly conflict?: true;
}

/** What was there, what the branch got meanwhile, and what the change does: where merges of programs may differ. */
const table: readonly Row[] = [
  {
    says: 'a renamed file that the other side edits',
    base: { old: lines(...numbers) },
    ours: move('old', 'new'),
    theirs: write({ old: lines(...numbers, 'more') }),
    conflict: true,
  },
  {
    says: 'a renamed folder that the other side adds to',
    base: { 'a/1': lines('one', ...numbers), 'a/2': lines('two', ...numbers) },
    ours: move('a', 'b'),
    theirs: write({ 'a/3': 'three\n' }),
    refused: true,
  },
  {
    says: 'a file that both sides add to, merged by union',
    base: { '.gitattributes': 'news merge=union\n', news: lines('first') },
    ours: write({ news: lines('first', 'ours') }),
    theirs: write({ news: lines('first', 'theirs') }),
    conflict: true,
  },
  {
    says: 'blocks that are alike',
    base: { blocks: lines(...block, '', ...block, '', ...block) },
    ours: write({ blocks: lines(...block, '', ...block, '', ...block, '', ...block) }),
    theirs: write({ blocks: lines('head', '', ...block, '', ...block, '', ...block) }),
  },
  {
    says: 'a mode that changes beside the text',
    base: { tool: lines(...numbers) },
    ours: (directory) => chmod(join(directory, 'tool'), 0o755),
    theirs: write({ tool: lines('#!/bin/sh', ...numbers) }),
    conflict: true,
  },
];

// At once: where Gitea finds a conflict, half a minute goes by before it is believed.
describe('the tree that was tested', { concurrency: true }, () => {
  for (const { says, base, ours, theirs, refused, conflict = false } of table) {
    it(`lands, or it is said before: ${says}`, { skip: gitea === null }, async (t) => {
      const { host, owner, prepare } = await openWorld(t, site());
      const { server, root, sluice } = site();
      const settings = { has_pull_requests: true, allow_manual_merge: false };
      await root.api('PATCH', `/repos/${owner}/alpha`, settings);
      const directory = await scratch(t);
      const url = `${server.url.replace('://', `://sluice-bot:${sluice.token}@`)}/${owner}/alpha.git`;
      const git = (...args: string[]) =>
        must('git', ['-C', directory, '-c', 'user.name=A', '-c', 'user.email=a@b', ...args]);
      const commit = async (deed: Deed, target: string) => {
        await deed(directory);
        await git('add', '--all');
        await git('commit', '-q', '-m', says);
        await git('push', '-q', 'origin', `HEAD:refs/heads/${target}`);
      };
      await must('git', ['clone', '-q', url, directory]);
      await commit(write(base), 'master');
      await git('branch', 'base');
      await commit(theirs, 'proposal');
      await git('checkout', '-q', 'base');
      await commit(ours, 'master');
      const asked = { head: 'proposal', base: 'master', title: says };
      const { number } = await sluice.api<{ number: number }>('POST', `/repos/${owner}/alpha/pulls`, asked);
      const change = `tea:${owner}/alpha#${number}`;
      if (refused) return assert.rejects(prepare([change], 'merge'), /conflict/);
      const tested = await prepare([change], 'merge');
      const request = { change, patchset: 1, tested, mode: 'merge' } as const;
      const pull = () => sluice.api<{ mergeable: boolean }>('GET', pathOf(change, 'pulls'));
      // A slow Gitea has not looked before the half minute is over.
      if (!conflict) await until(async () => (await pull()).mergeable);
      const fits = await host.canMerge(change, []);
      const result = await host.submit(gateActor, request);
      if (!conflict) {
        assert.ok(fits.ok && 'state' in result, JSON.stringify([fits, result]));
        assert.equal(result.state.tree, tested.tree);
        assert.notEqual(result.state.commit, tested.commit, 'the host itself has merged');
        return;
      }
      // It is said before any job runs, and is no obstacle where Sluice may push.
      assert.ok(!fits.ok && /finds a conflict/.test(fits.missing.join()), JSON.stringify([fits, result]));
      assert.equal('state' in result ? 'merged' : result.kind, 'refused');
      await root.api('PATCH', `/repos/${owner}/alpha`, { has_pull_requests: true, allow_manual_merge: true });
      assert.deepEqual(await host.canMerge(change, []), { ok: true });
      assert.deepEqual(await host.submit(gateActor, request), { kind: 'merged', state: tested });
      assert.equal(await host.branchTip(`${owner}/alpha`, 'master'), tested.commit);
    });
  }
});
