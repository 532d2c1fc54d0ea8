import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Hardware, mismatch, newestMachine } from '../../../../activities/nodes/vm/host.ts';
import type { Snapshot } from '../../../../activities/nodes/vm/records.ts';
import {
  bestSnapshot,
  chooseSnapshot,
  expired,
  keptViewsOf,
  type Stored,
} from '../../../../activities/nodes/vm/snapshots.ts';

const now: Hardware = { accelerator: 'tcg', machine: 'pc-q35-7.2', emulator: 'QEMU emulator version 7.2.22' };
const older: Hardware = { ...now, machine: 'pc-q35-6.2' };

function saved(id: string, time: number, hardware = now): Snapshot {
  const made = { from: '/images/x', hostKey: 'ssh-ed25519 AAAA', cores: 1, memoryMiB: 256, bootMs: 20_000 };
  return { id, image: 'debian', time, hardware, ...made };
}

test('the newest snapshot is taken of those that this host can restore', () => {
  const snapshots = [saved('b', 2), saved('c', 3, older), saved('a', 1), { ...saved('d', 9), image: 'other' }];
  assert.equal(bestSnapshot(snapshots, 'debian', now), snapshots[0]);
});

test('why there is no machine is said', () => {
  assert.equal(bestSnapshot([], 'debian', now), 'there is no machine prepared of debian on this host');
  const upgraded = { ...now, emulator: 'QEMU emulator version 11.1.2' };
  for (const [hardware, reason] of [
    [older, /its machine type was pc-q35-7\.2, now it is pc-q35-6\.2$/],
    [upgraded, /its emulator was .*7\.2\.22, now it is .*11\.1\.2/],
    [{ ...now, accelerator: 'kvm' as const }, /its accelerator was tcg, now it is kvm/],
  ] as const) {
    assert.match(String(bestSnapshot([saved('a', 1)], 'debian', hardware)), reason);
  }
  assert.equal(mismatch(now, { ...now }), null);
});

test('I10: where none fits after an upgrade one is prepared first, which is said', async () => {
  const said: string[] = [];
  const unfit = 'the machine prepared of debian cannot be restored: its emulator was 7.2, now it is 11.1';
  const remedy = (prepare: () => Promise<void>) => ({ prepare, tell: (line: string) => void said.push(line) });
  const fits = saved('a', 1);
  assert.equal(await chooseSnapshot(async () => fits, remedy(assert.fail)), fits, 'nothing is prepared needlessly');
  const there: (Snapshot | string)[] = [unfit];
  const look = async () => there[0] ?? '';
  const prepared = chooseSnapshot(
    look,
    remedy(async () => void there.unshift(fits)),
  );
  assert.equal(await prepared, fits);
  assert.deepEqual(said, [`${unfit}; it is prepared anew, which takes minutes`]);
  there.shift();
  const failing = remedy(() => Promise.reject(new Error('the machine is not healthy')));
  await assert.rejects(chooseSnapshot(look, failing), {
    message: `${unfit}, and none can be prepared: the machine is not healthy`,
  });
  await assert.rejects(
    chooseSnapshot(
      look,
      remedy(async () => {}),
    ),
    { message: `${unfit}, although one was prepared` },
  );
  await assert.rejects(chooseSnapshot(look, null), { message: `${unfit}: sluice vm prepare` });
});

test('the machine type has a version', () => {
  const list =
    'pc    Standard PC (alias of pc-i440fx-7.2)\nq35   Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-7.2)\n';
  assert.equal(newestMachine(list), 'pc-q35-7.2');
  assert.throws(() => newestMachine('none'), /no machine type q35/);
});

const day = 86_400_000;
const stored = (id: string, age: number, image = 'debian'): Stored => ({ id, image, time: -age * day, bytes: 100 });

const kept = (id: string, age: number, ...standsOn: string[]): Stored => ({ ...stored(id, age), standsOn });

for (const [what, snapshots, machines, limits, gone] of [
  ['the old go, but for the newest of an image', [stored('a', 40), stored('b', 30), stored('c', 25, 'x')], [], {}, 'a'],
  [
    'the newest of an image that nobody wants goes when it is old',
    [stored('a', 40, 'x'), stored('b', 10, 'x'), stored('c', 30, 'y'), stored('d', 30)],
    [],
    { wanted: new Set(['debian']) },
    'a c',
  ],
  ['one that a machine stands on stays', [stored('a', 40), stored('b', 1)], ['a'], {}, ''],
  ['the oldest go when all are too many', [stored('a', 3), stored('b', 2), stored('c', 1)], [], { bytes: 200 }, 'a'],
  ['nothing in use goes for room', [stored('a', 3), stored('b', 2), stored('c', 1)], ['a'], { bytes: 50 }, 'b'],
  ['the day itself is still in time', [stored('a', 20), stored('b', 1)], [], {}, ''],
  ['kept machines that are too old go, however new the snapshot below', [stored('a', 1), kept('k', 21)], [], {}, 'k'],
  ['kept machines that are one too many go', [stored('a', 3), kept('k', 2), kept('l', 1)], [], { bytes: 200 }, 'k'],
  ['kept machines are no newest of an image', [stored('a', 3), kept('k', 1)], [], { bytes: 50 }, 'k'],
  ['what kept machines stand on stays', [stored('a', 40), stored('b', 30), kept('k', 19, 'a')], [], {}, ''],
  [
    'kept machines that somebody looks at stay',
    [stored('a', 40), kept('k', 30)],
    [{ snapshot: 'a', kept: 'k' }],
    {},
    '',
  ],
] as const) {
  test(`what expires: ${what}`, () => {
    const whole = { age: 20 * day, bytes: 1_000, now: 0, ...limits };
    const goes = expired(
      snapshots,
      machines.map((each) => (typeof each === 'string' ? { snapshot: each } : each)),
      whole,
    );
    assert.equal(goes.map(({ id }) => id).join(' '), gone);
  });
}

test('what is kept is shown with its nodes, how long it may stay and whether somebody looks at it', () => {
  const of = (build: string, time: number) => {
    const machines = ['server', 'client'].map((name) => ({ name, snapshot: 's', hostKey: 'k' }));
    return { build, installation: null, time, machines };
  };
  const bytes = new Map([['new', 7]]);
  const rest = { machines: [{ kept: 'old' }, {}], bytes, host: 'here', age: 20 };
  const nodes = ['server', 'client'];
  const steps = [1, 2].map((number) => ({ number, name: `step ${number}` }));
  assert.deepEqual(keptViewsOf([of('old', 1), { ...of('new', 2), steps }], rest), [
    { build: 'new', host: 'here', time: 2, until: 22, bytes: 7, nodes, steps: [1, 2], open: false },
    { build: 'old', host: 'here', time: 1, until: 21, bytes: 0, nodes, steps: [], open: true },
  ]);
});
