import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidConfiguration, parseConfig } from '../../../infra/config/load.ts';
import { vmHostFaults } from '../../../infra/config/vm-hosts.ts';

const workers = { build: 1 };
const keyOf = (letter: string) => `ssh-ed25519 ${letter.repeat(68)}`;

/** Hosts by name: where each is, and its key. */
function parse(hosts: Readonly<Record<string, string>>, more = '') {
  const entries = Object.entries(hosts).map(
    ([name, keys], index) => `      ${name}: {key: {file: k}, hostKey: ${keyOf('ABC'[index] ?? '')}, ${keys}}\n`,
  );
  const text = `nodes:\n  vm:\n    hosts:\n${entries.join('')}${more}`;
  return parseConfig({ path: 'sluice.yaml', text, directory: '/conf', env: {} }).nodes;
}

const twice = [{ a: 'host: Big.example.org', b: 'host: big.example.org' }, /:5:\d+: .*\.b\.host: is the machine of a/];
for (const [what, hosts, said] of [
  ['a machine twice, by one address', ...twice],
  ['a machine twice, by one port of it', { a: 'host: h, port: 2222', b: 'host: h, port: 2222' }, /is the machine of a/],
  ['a directory with a space', { a: 'host: h, directory: /a b' }, /a\.directory: must be an absolute path of letters/],
] as const) {
  test(`I10: sluice.yaml: of hosts of virtual machines, ${what} is refused with its place`, () => {
    assert.throws(
      () => parse(hosts as Record<string, string>),
      (error: Error) => error instanceof InvalidConfiguration && (said as RegExp).test(error.message),
    );
  });
}

test('I10: hosts are refused where no worker runs that reaches them', () => {
  const said = /:4:\d+: nodes\.vm\.hosts: are reached by the worker of this machine, .*: give workers\.build/;
  assert.throws(() => parse({ a: 'host: a' }, 'workers: {build: 0}\n'), said);
});

test('I10: two hosts with one host key are refused, whatever is written behind it; two ports of one address are not', () => {
  const host = { host: 'a', port: 22, hostKey: keyOf('A') };
  assert.deepEqual(vmHostFaults({ a: host, b: { ...host, port: 23, hostKey: `${keyOf('A')} root@b` } }, workers), [
    {
      path: ['b', 'hostKey'],
      message: 'is that of a as well: if they are two machines, give each a host key of its own',
    },
  ]);
  assert.deepEqual(vmHostFaults({ a: host, b: { ...host, port: 23, hostKey: keyOf('B') } }, workers), []);
});

test('I10: as many virtual machines may stand ready as the server and all hosts have together', () => {
  const platform = '{format: deb, codename: bookworm, provider: vm, limits: {cpus: 1, memoryMiB: 256}}';
  const more = (ready: number) =>
    `    maxServers: 0\n  labels: {vm: {minReady: ${ready}}}\nplatforms: {vm: ${platform}}\n`;
  const hosts = { a: 'host: a, maxServers: 2', b: 'host: b, maxServers: 1' };
  assert.equal(parse(hosts, more(3)).labels.vm?.minReady, 3);
  assert.throws(
    () => parse(hosts, more(4)),
    /makes 4 with others, and nodes\.vm\.maxServers, with that of its hosts, is 3/,
  );
});
