import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { attest } from '../../../activities/attest/attestation.ts';
import type { PackagesManifest, SourceState } from '../../../pipelines/model/artifact.ts';
import { setBranch } from '../git/repository.ts';
import {
  build,
  inputFor,
  project,
  publish,
  push,
  record,
  releaseJob,
  releaseWorld,
  runRelease,
  shown,
  type World,
} from './world.ts';

/** What people and programs do, in any order: numbers choose among the states and builds that there are. */
type Step =
  | { readonly kind: 'push' | 'merge'; readonly on: number }
  | {
      readonly kind: 'build';
      readonly of: number;
      readonly as: number;
      readonly forge: Forgery;
      readonly input: number;
    }
  /** A release job as it was started, or again with an edited input. */
  | { readonly kind: 'release'; readonly commit: number; readonly tree: number }
  /** A release that leaves the plan out: its own input was edited. */
  | { readonly kind: 'publish'; readonly manifest: number; readonly commit: number; readonly tree: number };

type Forgery = 'none' | 'rewritten' | 'signed by another' | 'not signed';

const number = fc.nat({ max: 20 });
const forgery = fc.constantFrom<Forgery>('none', 'none', 'rewritten', 'signed by another', 'not signed');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('push' as const, 'merge' as const), on: number }),
  fc.record({ kind: fc.constant('build' as const), of: number, as: number, forge: forgery, input: number }),
  fc.record({ kind: fc.constant('release' as const), commit: number, tree: number }),
  fc.record({ kind: fc.constant('publish' as const), manifest: number, commit: number, tree: number }),
);

const stranger = generateKeyPairSync('ed25519').privateKey;

class Play {
  readonly states: SourceState[] = [];
  readonly builds: string[] = [];
  /** What the branch holds, or held: nothing else may ever be shown. */
  readonly merged = new Set<string>();
  readonly #world: World;
  readonly #data = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  async push(on: number): Promise<SourceState> {
    const parent = this.states.length === 0 ? undefined : pick(this.states, on);
    const data = `state ${this.#data.size} of ${process.hrtime.bigint()}\n`;
    const state = await push(this.#world, data, parent === undefined ? [] : [parent.commit]);
    this.states.push(state);
    this.#data.set(state.commit, data);
    return state;
  }

  async merge(on: number): Promise<void> {
    const tip = await this.#world.host.branchTip(project, 'main');
    const proposed = pick(this.states, on);
    // A change on top of the branch: others would have to be rebased first.
    const state = await push(this.#world, this.#data.get(proposed.commit) ?? '', tip === null ? [] : [tip]);
    await setBranch(this.#world.repo, 'main', state.commit);
    this.states.push(state);
    this.#data.set(state.commit, this.#data.get(proposed.commit) ?? '');
    this.merged.add(this.#data.get(proposed.commit) ?? '');
  }

  async build({ of, as, forge, input }: Extract<Step, { kind: 'build' }>): Promise<void> {
    const source = pick(this.states, of);
    const said = pick(this.states, as);
    const below =
      this.builds.length > 0 && input % 3 === 0 ? [{ url: 'http://x/', manifest: pick(this.builds, input) }] : [];
    const rewritten = (manifest: PackagesManifest) => ({ ...manifest, source: { ...manifest.source, ...said } });
    const forgeries: Readonly<Record<Forgery, (manifest: PackagesManifest) => PackagesManifest>> = {
      none: (manifest) => manifest,
      rewritten,
      'signed by another': (manifest) => attest(stranger, rewritten(manifest)),
      'not signed': ({ attestation: _, ...manifest }) => rewritten(manifest),
    };
    const version = `${this.builds.length + 1}`;
    const manifest = await build(this.#world, { source, sample: { version }, inputs: below, forge: forgeries[forge] });
    this.builds.push(manifest);
    await record(this.#world, manifest);
  }

  async take(one: Step): Promise<string> {
    switch (one.kind) {
      case 'push':
        return this.push(one.on).then(() => 'pushed');
      case 'merge':
        return this.merge(one.on).then(() => 'merged');
      case 'build':
        return this.build(one).then(() => 'built');
      case 'release': {
        const source = { ...pick(this.states, one.commit), tree: pick(this.states, one.tree).tree };
        return refusable(runRelease(this.#world, releaseJob(source)));
      }
      case 'publish': {
        if (this.builds.length === 0) return 'nothing was built';
        const claim = { ...pick(this.states, one.commit), tree: pick(this.states, one.tree).tree };
        const done = publish(this.#world, inputFor(pick(this.builds, one.manifest), claim), `p${this.builds.length}`);
        return refusable(done.then(({ refused }) => refused ?? 'released'));
      }
    }
  }
}

function pick<T>(list: readonly T[], position: number): T {
  return list[position % list.length] as T;
}

/** A refusal is an answer; any other error is a fault of the test. */
function refusable(work: Promise<string>): Promise<string> {
  return work.catch((error: Error) => {
    assert.match(error.message, /^refused by the /);
    return error.message;
  });
}

let world: World;
const ends: (() => unknown)[] = [];
before(async () => {
  world = await releaseWorld({ after: (end) => void ends.push(end as () => unknown) });
});
after(async () => {
  for (const end of ends.reverse()) await end();
});

test('S1: whatever is pushed, forged, edited and started again, nothing unmerged is released', async () => {
  const play = new Play(world);
  await play.push(0);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 10 }), async (steps) => {
      for (const one of steps) {
        await play.take(one);
        if (one.kind !== 'release' && one.kind !== 'publish') continue;
        for (const text of await shown(world))
          assert.ok(play.merged.has(text), `${JSON.stringify(text)} was never merged`);
      }
    }),
    { numRuns: 12, endOnFailure: true },
  );
  // A wall that lets nothing through proves nothing.
  await play.merge(play.states.length - 1);
  const [last] = play.states.slice(-1);
  assert.ok(last);
  await play.build({ kind: 'build', of: play.states.length - 1, as: 0, forge: 'none', input: 1 });
  assert.equal(await runRelease(world, releaseJob(last)), 'released');
});
