import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emulatorArguments, type MachineSpec } from '../../../../activities/nodes/vm/arguments.ts';

const spec: MachineSpec = {
  id: 'build~0011',
  hardware: { accelerator: 'tcg', machine: 'pc-q35-7.2', emulator: 'x' },
  cores: 2,
  memoryMiB: 512,
  network: '239.192.1.2:20001',
  ways: [],
  start: { memory: 3 },
};

/** What follows an option, each time that it is there. */
function valuesOf(option: string, of: Partial<MachineSpec> = {}): readonly string[] {
  const args = emulatorArguments({ ...spec, ...of });
  return args.flatMap((each, index) => (each === option ? [args[index + 1] ?? ''] : []));
}

test('a machine has the devices of its snapshot, however it begins', () => {
  const start = { kernel: '/k', initrd: '/i' };
  for (const option of ['-device', '-machine', '-cpu', '-smp', '-m', '-drive', '-chardev']) {
    assert.deepEqual(valuesOf(option), valuesOf(option, { start }), option);
  }
  assert.deepEqual(valuesOf('-incoming'), ['fd:3']);
  assert.deepEqual(valuesOf('-incoming', { start }), []);
});

test('a machine that boots by its disk has an empty one in the place of the seed, but at its first start', () => {
  const whole = { whole: true };
  const first = { whole: true, start: { seed: true } };
  for (const option of ['-device', '-machine', '-cpu', '-smp', '-m', '-chardev']) {
    assert.deepEqual(valuesOf(option, whole), valuesOf(option, first), option);
  }
  assert.deepEqual(valuesOf('-kernel', first), []);
  assert.match(valuesOf('-drive', first)[1] ?? '', /readonly=on,driver=raw,.*filename=seed$/);
  for (const later of [whole, { whole: true, start: { seed: false } }]) {
    assert.match(valuesOf('-drive', later)[1] ?? '', /readonly=on,driver=null-co,size=1048576,read-zeroes=on$/);
  }
});

test('a machine reaches what is named, and nothing else', () => {
  const ways = [
    { host: 'deb.example.org', port: 80 },
    { host: '172.17.0.1', port: 8080 },
  ];
  const [outer] = valuesOf('-netdev', { ways });
  const first = 'guestfwd=tcp:10.0.2.100:80-cmd:perl forward deb.example.org 80';
  const second = 'guestfwd=tcp:10.0.2.101:8080-cmd:perl forward 172.17.0.1 8080';
  assert.equal(outer, `user,id=outer,restrict=on,${first},${second}`);
  assert.equal(valuesOf('-netdev')[0], 'user,id=outer,restrict=on');
  for (const host of ['a;b', 'x,hostfwd=tcp::1-:1', '-e', '']) {
    assert.throws(() => emulatorArguments({ ...spec, ways: [{ host, port: 1 }] }), /is no name of a host/);
  }
});

test('an emulator starts other programs only where a way needs one', () => {
  assert.match(valuesOf('-sandbox')[0] ?? '', /elevateprivileges=deny,spawn=deny$/);
  assert.match(
    valuesOf('-sandbox', { ways: [{ host: 'a', port: 1 }] })[0] ?? '',
    /elevateprivileges=allow,spawn=allow$/,
  );
});
