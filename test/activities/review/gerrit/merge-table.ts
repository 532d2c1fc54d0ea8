import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { git as runGit } from '../../../../activities/git/git.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import type { SourceState } from '../../../../pipelines/model/artifact.ts';
import { makeCommit } from '../../git/repository.ts';
import { messageFor } from '../developer.ts';
import { type Desk, openDesk } from './desk.ts';
import { connect, type OpenGerrit, type SharedGerrit } from './world.ts';

type Files = Readonly<Record<string, string | null>>;

/** What the branch did, and what the change did, both starting from the same state. */
interface Case {
  readonly says: string;
  readonly base: Files;
  readonly branch: Files;
  readonly change: Files;
  /** Whether the state can be prepared: else nobody spends a job on it. */
  readonly prepared: boolean;
  /** Default: merge. */
  readonly mode?: 'merge' | 'rebase';
}

const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}\n`).join('');
const block = 'begin\n  same\n  same\nend\n\n';
const text = lines(1, 40);

const cases: readonly Case[] = [
  {
    says: 'the branch renamed a file that the change edits',
    base: { 'f.c': text },
    branch: { 'f.c': null, 'g.c': text },
    change: { 'f.c': text.replace('line 20\n', 'line twenty\n') },
    prepared: true,
  },
  {
    says: 'the branch renamed a folder to which the change adds a file',
    base: { 'd/one.c': text, 'd/two.c': lines(50, 80) },
    branch: { 'd/one.c': null, 'd/two.c': null, 'e/one.c': text, 'e/two.c': lines(50, 80) },
    change: { 'd/new.c': 'new\n' },
    prepared: false,
  },
  {
    says: 'both append to a file that is merged by union',
    base: { CHANGES: 'first\n', '.gitattributes': 'CHANGES merge=union\n' },
    branch: { CHANGES: 'first\nours\n' },
    change: { CHANGES: 'first\ntheirs\n' },
    prepared: true,
  },
  {
    says: 'far edits in a file of repeated blocks',
    base: { blocks: block.repeat(30) },
    branch: { blocks: `${block.repeat(10)}${block.replace('same', 'ours')}${block.repeat(19)}` },
    change: { blocks: `${block.repeat(25)}${block.replace('same', 'theirs')}${block.repeat(4)}` },
    prepared: true,
  },
  {
    says: 'neighbouring lines',
    base: { f: text },
    branch: { f: text.replace('line 20\n', 'ours\n') },
    change: { f: text.replace('line 21\n', 'theirs\n') },
    prepared: false,
  },
  {
    says: 'both add the same file',
    base: { f: text },
    branch: { n: 'new\n', o: 'ours\n' },
    change: { n: 'new\n' },
    prepared: true,
  },
  ...(['merge', 'rebase'] as const).map(
    (mode): Case => ({
      says: `far lines of one file, ${mode === 'rebase' ? 'as a patch set of its change' : 'merged'}`,
      base: { f: text },
      branch: { f: text.replace('line 2\n', 'ours\n') },
      change: { f: text.replace('line 38\n', 'theirs\n') },
      prepared: true,
      mode,
    }),
  ),
  {
    says: 'a file without a newline at its end, and one of CRLF',
    base: { f: 'a\r\nb\r\nc\r\nd\r\n', g: 'one' },
    branch: { f: 'A\r\nb\r\nc\r\nd\r\n' },
    change: { g: 'two' },
    prepared: true,
  },
];

let projects = 0;

interface Scene {
  readonly desk: Desk;
  readonly number: number;
}

async function act(desk: Desk, { base, branch, change }: Case): Promise<Scene> {
  const start = await makeCommit(desk.repo, { parents: [await desk.fetch('refs/heads/master')], files: base });
  await desk.push(`${start}:refs/heads/master`);
  const { number } = await desk.propose({ files: change, message: messageFor(`change of ${desk.project}`) });
  const moved = await makeCommit(desk.repo, { parents: [start], files: branch });
  await desk.push(`${moved}:refs/heads/master`);
  return { desk, number };
}

/** Prepares the state as a gate does, and merges it; the tree that landed is the one that was tested. */
async function land(t: TestContext, gerrit: SharedGerrit, given: Case): Promise<void> {
  const { mode = 'merge' } = given;
  projects += 1;
  const desk = await openDesk(t, gerrit, { project: `table${projects}` });
  const { host, git } = await connect(t, gerrit, { owns: (project) => project === desk.project });
  const { number } = await act(desk, given);
  const change = await host.readChange(`review:${number}`);
  assert.ok(change);
  const { id, project, branch, ref } = change;
  await git.ensure(project, [ref]);
  const [result] = await git.merge({
    items: [{ key: 'k', base: null, changes: [{ id, project, branch, commit: ref, mode }] }],
  });
  assert.equal(result?.kind, given.prepared ? 'ready' : 'conflict');
  if (result?.kind !== 'ready') return;
  const tested = result.sources[0] as SourceState;
  const merged = await host.submit(gateActor, { change: id, patchset: 1, tested, mode });
  assert.ok(merged.kind === 'merged', JSON.stringify(merged));
  assert.deepEqual([merged.state.commit, merged.state.tree], [tested.commit, tested.tree]);
  const tip = await desk.fetch('refs/heads/master');
  assert.equal((await runGit(desk.repo, ['rev-parse', `${tip}^{tree}`])).trim(), tested.tree);
  assert.equal((await host.readChange(id))?.status, 'merged');
}

/** What lands is what was tested, or nothing is tested, on one Gerrit. */
export function testMergeTable(name: string, open: OpenGerrit): void {
  for (const each of cases) test(`${name}: ${each.says}`, async (t) => land(t, await open(), each));
}
