import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createInstallStage } from '../../../activities/install/install-stage.ts';
import { EngineUnavailable } from '../../../activities/nodes/engine-unavailable.ts';
import type { Addresses, Lease, Machine, Provider } from '../../../activities/nodes/port.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { createPublishStage } from '../../../activities/publish/publish-stage.ts';
import { createSystestStage } from '../../../activities/systest/systest-stage.ts';
import { makePackage } from '../repository/packages.ts';
import { leasing, stageContext, stageInput, stageWorld, storeBuild } from './stage.ts';

/** What machines have answered: by the node, and what was asked. */
type Notes = Map<string, unknown[]>;
type Answer = (question: string, ask: () => Promise<unknown>) => Promise<unknown>;

const methods = ['exec', 'put', 'take', 'quiet', 'open', 'close', 'origin'] as const;

/** A provider of which every answer of its machines goes through `answer`. */
function heard(provider: Provider, answer: Answer): Provider {
  const real = new WeakMap<Lease, Lease>();
  const wrap = (node: string, machine: Machine) => {
    const calls = methods.map((method) => {
      const call = machine[method] as (...args: unknown[]) => Promise<unknown>;
      const heardCall = (...args: unknown[]) => {
        const argv = method === 'exec' ? JSON.stringify(args[0]) : '';
        return answer(`${node} ${method} ${argv}`, () => call.apply(machine, args));
      };
      return [method, heardCall];
    });
    return { ...machine, ...Object.fromEntries(calls) } as Machine;
  };
  return {
    ...provider,
    async lend(request) {
      const lease = await provider.lend(request);
      const wrapped: Lease = {
        machine: async (need) => wrap(need.name, await lease.machine(need)),
        find: () => lease.find(),
        seclude: async (signal) => (await answer('seclude', () => lease.seclude(signal))) as Addresses,
        introduce: (signal) => lease.introduce(signal),
      };
      real.set(wrapped, lease);
      return wrapped;
    },
    release: (lease) => provider.release(real.get(lease) ?? lease),
  };
}

const noting = (notes: Notes, order: string[]): Provider =>
  heard(openProvider('docker'), async (question, ask) => {
    const said = await ask();
    order.push(question);
    notes.set(question, [...(notes.get(question) ?? []), said]);
    return said;
  });

/** Machines that answer as was noted, and are lost after so many answers. */
function lostAfter(count: number, notes: Notes): Provider {
  const asked = new Map<string, number>();
  let answers = 0;
  const nobody: Provider = {
    lend: async () => ({
      machine: async () => ({}) as Machine,
      find: async () => null,
      seclude: async () => ({}),
      introduce: async () => ({}),
    }),
    release: async () => {},
    sweep: async () => {},
    list: async () => [],
  };
  return heard(nobody, async (question) => {
    if (answers === count) throw EngineUnavailable.away('answer', 'the emulator has ended', 'the virtual machine');
    answers += 1;
    const before = asked.get(question) ?? 0;
    asked.set(question, before + 1);
    const known = notes.get(question);
    assert.ok(known, `nobody has asked: ${question}`);
    return known[Math.min(before, known.length - 1)];
  });
}

const scenario = `
install: {server: [alpha], client: [alpha]}
steps:
  - {on: server, run: "while :; do sleep 1; done", background: true}
  - {on: client, run: answer, expect: forty-two}
`;

async function world(t: TestContext) {
  const all = await stageWorld(t);
  const tree = join(all.directory, 'tree');
  await mkdir(join(tree, 'sluice/systest'), { recursive: true });
  await writeFile(join(tree, 'sluice/systest/pair.yaml'), scenario);
  const sources = (_: unknown, directory: string) => cp(tree, directory, { recursive: true });
  const deps = { ...all, released: () => Promise.resolve([]), sources };
  const files = { '/usr/bin/answer': '#!/bin/sh\necho forty-two\n' };
  const built = await storeBuild(all, 'deb', [
    await makePackage('deb', all.directory, { name: 'alpha', version: '1.0-1', files }),
  ]);
  const { artifacts } = await createPublishStage(all)(stageInput('deb', { parents: [built] }), await stageContext(t));
  return { deps, artifacts };
}

for (const [stage, make, names] of [
  ['install', createInstallStage, ['node']],
  ['systest', createSystestStage, ['server', 'client']],
] as const) {
  test(`I10: a machine that is lost is no verdict on a change, wherever the stage ${stage} is by then`, async (t) => {
    const { deps, artifacts: parents } = await world(t);
    const nodes = names.map((name) => ({ name, label: 'debian-12' }));
    const run = async (provider: Provider) => {
      const input = stageInput('deb', { stage, parents, nodes });
      return leasing(make({ ...deps, defaultLabel: 'debian-12' }), provider)(input, await stageContext(t));
    };
    const notes: Notes = new Map();
    const order: string[] = [];
    const { result, summary } = await run(noting(notes, order));
    assert.equal(result, 'SUCCESS', summary);
    // What nodes are asked when the verdict is there, for what is kept of them, takes it back no more.
    const answers = order.findLastIndex((question) => !/os-release|journalctl|var.log/.test(question)) + 1;
    t.diagnostic(`${answers} answers`);
    for (let count = 0; count < answers; count += 1) {
      await assert.rejects(run(lostAfter(count, notes)), EngineUnavailable, `lost after ${count} answers`);
    }
  });
}
