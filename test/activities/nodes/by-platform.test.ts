import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byPlatform } from '../../../activities/nodes/by-platform.ts';
import type { Machine, MachineNeed, Provider } from '../../../activities/nodes/port.ts';
import type { PlatformProvider } from '../../../pipelines/model/platform.ts';

/** A provider that writes down what it is asked for. */
function provider(name: string, said: string[], kept: Machine | null = null): Provider {
  const say = async (what: string) => void said.push(`${name} ${what}`);
  return {
    lend: async ({ build }) => ({
      async machine(need) {
        await say(`makes ${need.name} for ${build}`);
        return {} as Machine;
      },
      find: async () => kept,
      async seclude() {
        await say('secludes');
        return {};
      },
      introduce: async () => ({}),
    }),
    release: () => say('releases'),
    sweep: (build) => say(`sweeps ${build}`),
    list: async () => [{ build: name }],
  };
}

const need = (name: string, of?: PlatformProvider) =>
  ({ name, platform: of === undefined ? {} : { provider: of } }) as MachineNeed;
const signal = new AbortController().signal;

test('machines come from the provider that their platform names, and go back there', async () => {
  for (const [of, name] of [
    [undefined, 'docker'],
    ['vm', 'vm'],
  ] as const) {
    const said: string[] = [];
    const joint = byPlatform({
      docker: provider('docker', said),
      vm: provider('vm', said),
      static: provider('static', []),
    });
    const lease = await joint.lend({ build: 'b' });
    await Promise.all([lease.machine(need('one', of)), lease.machine(need('two', of))]);
    await lease.seclude(signal);
    await joint.release(lease);
    assert.deepEqual(said, [
      `${name} makes one for b`,
      `${name} makes two for b`,
      `${name} secludes`,
      `${name} releases`,
    ]);
  }
});

test('the machines of one lease come from one provider', async () => {
  const joint = byPlatform({ docker: provider('docker', []), vm: provider('vm', []), static: provider('static', []) });
  const lease = await joint.lend({ build: 'b' });
  await lease.machine(need('one', 'vm'));
  await assert.rejects(lease.machine(need('two')), /come from one provider: vm and docker share no network/);
});

test('what stands apart comes from another provider, is in no network of theirs, and goes back as well', async () => {
  const said: string[] = [];
  const joint = byPlatform({
    docker: provider('docker', said),
    vm: provider('vm', said),
    static: provider('static', said),
  });
  const lease = await joint.lend({ build: 'b' });
  await lease.machine({ ...need('control'), apart: true });
  await lease.machine(need('one', 'vm'));
  await lease.seclude(signal);
  await joint.release(lease);
  const made = ['docker makes control for b', 'vm makes one for b', 'vm secludes'];
  assert.deepEqual(said, [...made, 'docker releases', 'vm releases']);
});

test('what was kept is found where it is, and given back there; of a lease that made nothing, nothing', async () => {
  const said: string[] = [];
  const kept = {} as Machine;
  const joint = byPlatform({
    docker: provider('docker', said),
    vm: provider('vm', said, kept),
    static: provider('static', []),
  });
  await joint.release(await joint.lend({ build: 'b' }));
  assert.deepEqual(said, []);
  const lease = await joint.lend({ build: 'b' });
  assert.equal(await lease.find(), kept);
  await joint.release(lease);
  assert.deepEqual(said, ['vm releases']);
});

test('all are swept and listed, and one that is away does not keep the others', async () => {
  const said: string[] = [];
  const away = { ...provider('docker', said), sweep: () => Promise.reject(new Error('away')) };
  const joint = byPlatform({ docker: away, vm: provider('vm', said), static: provider('static', []) });
  await assert.rejects(joint.sweep('b'), /away/);
  assert.deepEqual(said, ['vm sweeps b']);
  assert.deepEqual(await joint.list(), [{ build: 'docker' }, { build: 'vm' }, { build: 'static' }]);
});
