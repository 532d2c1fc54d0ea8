import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountOf } from '../../../infra/git-host/account.ts';

const ssh = '192.0.2.1 50000 192.0.2.2 22';
const mine = { uid: 7, user: 'sluice', owner: 7 };
const others = { uid: 8, user: 'bob', owner: 7 };

const cases: readonly [
  says: string,
  process: typeof mine,
  env: Readonly<Record<string, string>>,
  who: readonly [name: string, kind: string, via: string],
][] = [
  ['a user of this machine', others, {}, ['bob', 'person', 'local']],
  ['the owner', mine, {}, ['sluice', 'person', 'local']],
  ['an account of a forced command', mine, { SSH_CONNECTION: ssh, SLUICE_USER: 'ada' }, ['ada', 'person', 'ssh']],
  ['a key without an account', mine, { SSH_CONNECTION: ssh }, ['sluice', 'person', 'local']],
  ['a login at a web server', mine, { REMOTE_ADDR: '::1', REMOTE_USER: 'A\\d a' }, ['A\\d a', 'person', 'http']],
  ['nobody at a web server', mine, { REMOTE_ADDR: '::1' }, ['anonymous', 'anybody', 'http']],
  ['a name without a transport', mine, { SLUICE_USER: 'boss', REMOTE_USER: 'boss' }, ['sluice', 'person', 'local']],
  ['a name by a user', others, { SLUICE_USER: 'boss', SSH_CONNECTION: ssh }, ['bob', 'person', 'local']],
  ['a login by a user', others, { REMOTE_USER: 'boss', REMOTE_ADDR: '::1' }, ['bob', 'person', 'local']],
];
for (const [says, process, env, [name, kind, via]] of cases) {
  test(`S3: who pushes: ${says}`, () => {
    assert.deepEqual(accountOf({ ...process, env }), { name, kind, via });
  });
}

for (const name of ['a\nb', 'Ada <ada@example.org>', ' ada', '-x', 'a'.repeat(101)]) {
  test(`S3: ${JSON.stringify(name).slice(0, 40)} is no account`, () => {
    const env = { SSH_CONNECTION: ssh, SLUICE_USER: name };
    assert.throws(() => accountOf({ ...mine, env }), /cannot be an account/);
  });
}
