import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidConfiguration, parseConfig } from '../../../infra/config/load.ts';

const good = {
  labels: '[lab]',
  platform: 'debian-12',
  host: 'lab-1.example.org',
  key: '{file: keys/lab}',
  hostKey: `ssh-ed25519 ${'A'.repeat(68)}`,
  clean: '[/sbin/reset]',
};

function parse(...machines: readonly Readonly<Record<string, string>>[]) {
  const entries = machines.map((machine, index) => {
    const keys = Object.entries({ ...good, ...machine }).map(([key, value]) => `${key}: ${value}`);
    return `m${index}: {${keys.join(', ')}}`;
  });
  const text = `nodes: {static: {${entries.join(', ')}}}`;
  return parseConfig({ path: 'sluice.yaml', text, directory: '/conf', env: {} }).nodes.static;
}

test('I10: a static machine needs six keys, and its key file is relative to the configuration', () => {
  const { m0 } = parse({});
  assert.deepEqual(m0, {
    ...{ labels: ['lab'], platform: 'debian-12', host: 'lab-1.example.org', port: 22, user: 'root' },
    ...{ key: { file: '/conf/keys/lab' }, hostKey: good.hostKey, clean: ['/sbin/reset'], cleanTimeout: 600 },
    unreviewed: false,
  });
  assert.equal(parse({ clean: '"rm -rf /srv/x\\nreboot"' }).m0?.clean, 'rm -rf /srv/x\nreboot');
});

for (const [what, machines, said] of [
  ['a secret that is written down', [{ key: 'canary' }], /a secret is never written in this file itself/],
  ['an unknown platform', [{ platform: 'hurd' }], /there is no platform hurd: there are debian-12, /],
  [
    'a platform as label',
    [{ labels: '[debian-12]' }],
    /labels\.0: debian-12 is the name of a platform: give it another/,
  ],
  ['a host that is an option', [{ host: '-oProxyCommand=x' }], /must be the name or the address of a host/],
  [
    'a host key of no known kind',
    [{ hostKey: 'ssh-dss AAAA' }],
    /must be a line as in \/etc\/ssh\/ssh_host_ed25519_key\.pub/,
  ],
  ['no way to clean it', [{ clean: '{}' }], /must be a program with its arguments, as a list, or a script as text/],
  ['one label of two platforms', [{}, { platform: 'debian-13' }], /machines of the label lab must have one platform/],
  ['one label of two rules', [{}, { unreviewed: 'true' }], /and the same `unreviewed`/],
] as const) {
  test(`I10: sluice.yaml: ${what} is refused with its place`, () => {
    assert.throws(
      () => parse(...machines),
      (error: Error) => {
        assert.ok(error instanceof InvalidConfiguration, String(error));
        assert.match(error.message, /^sluice\.yaml:1:\d+: nodes\.static\.m\d/);
        assert.match(error.message, said);
        assert.doesNotMatch(error.message, /canary/);
        return true;
      },
    );
  });
}
