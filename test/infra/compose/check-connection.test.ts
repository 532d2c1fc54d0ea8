import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConnectionCheck } from '../../../activities/review/connection.ts';
import { absentProjects } from '../../../infra/compose/absent-projects.ts';
import { checkConnection, withProjects, withRest, withSigner } from '../../../infra/compose/check-connection.ts';
import { loadConfig } from '../../../infra/config/load.ts';

const fine: readonly ConnectionCheck[] = [
  { name: 'login', ok: true, message: 'sluice' },
  { name: 'git', ok: true, message: 'a can be read' },
];

test('I9: the doctor says which files of a connection the signer cannot read', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-signer-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  await chmod(root, 0o755);
  const [identity, knownHosts, file] = [join(root, 'key'), join(root, 'known_hosts'), join(root, 'password')];
  await writeFile(identity, 'k', { mode: 0o600 });
  await writeFile(knownHosts, 'h', { mode: 0o644 });
  const settings = { driver: 'gerrit', identity, knownHosts, password: { file }, webhookSecret: { file: '/none' } };
  const itself = (command: readonly string[]) => command;
  const [login, git] = await withSigner(fine, settings, itself);
  assert.equal(login?.ok, true);
  assert.equal(git?.ok, false);
  assert.match(git?.message ?? '', /^the signer cannot read \S+password: .*chown sluice-signer \S+password$/);
  await writeFile(file, 'p', { mode: 0o600 });
  assert.deepEqual(await withSigner(fine, settings, itself), fine);
  if (process.getuid?.() !== 0) return;
  // Nobody may read what is closed to all but its owner.
  const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--inh-caps', '-all', '--'];
  const [, other] = await withSigner(fine, settings, (command) => [...nobody, ...command]);
  assert.match(other?.message ?? '', /key and \S+password: /);
  assert.doesNotMatch(other?.message ?? '', /known_hosts/);
});

test('the doctor says first which files of a connection cannot be read, by their keys', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-files-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const ssh = 'ssh: ssh://s@127.0.0.1:29418, identity: id, knownHosts: kh';
  const review = `{driver: gerrit, url: "http://127.0.0.1:9", ${ssh}, password: {file: pw}}`;
  await writeFile(join(directory, 'sluice.yaml'), `connections:\n  review: ${review}\n`);
  await writeFile(join(directory, 'id'), '');
  const [login, ...others] = await checkConnection(loadConfig({ directory }), 'review');
  const why = (key: string, file: string) =>
    `connections.review.${key}: ${join(directory, file)} cannot be read: ENOENT: no such file or directory`;
  const message = [why('knownHosts', 'kh'), why('password.file', 'pw')].join('; ');
  assert.deepEqual(login, { name: 'login', ok: false, message });
  assert.deepEqual(new Set(others.map((one) => one.message)), new Set(['not looked at: see login']));
});

test('I9: what is wrong with git itself is said first', async () => {
  const wrong: readonly ConnectionCheck[] = [{ name: 'git', ok: false, message: 'no answer' }];
  assert.deepEqual(await withSigner(wrong, { identity: '/none' }, (command) => command), wrong);
});

test('I9: the doctor names projects of sluice.yaml that the host does not show, renamed ones with their new names', async () => {
  const host = {
    connection: 'hub',
    listProjects: async () => ['acme/b', 'acme/new'],
    nameNow: async (project: string) => {
      if (project === 'acme/shut') throw new Error('403');
      return project === 'acme/a' ? 'acme/new' : null;
    },
  };
  assert.deepEqual(await absentProjects(host, ['acme/b']), []);
  const absent = await absentProjects(host, ['acme/a', 'acme/b', 'acme/gone', 'acme/shut']);
  assert.deepEqual(
    absent.map(({ connection, project, now }) => [connection, project, now]),
    [
      ['hub', 'acme/a', 'acme/new'],
      ['hub', 'acme/gone', null],
      ['hub', 'acme/shut', null],
    ],
  );
  assert.deepEqual(withProjects(fine, []), fine);
  const [login, git] = withProjects(fine, absent);
  assert.equal(login?.ok, true);
  assert.equal(git?.ok, false);
  assert.match(
    git?.message ?? '',
    /^acme\/a is called acme\/new there: name it so in sluice\.yaml; acme\/gone is not shown/,
  );
  const wrong: readonly ConnectionCheck[] = [{ name: 'git', ok: false, message: 'no answer' }];
  assert.match(withProjects(wrong, absent)[0]?.message ?? '', /^no answer; acme\/a is called acme\/new there/);
  assert.deepEqual(withProjects(wrong, []), wrong);
});

test('I9: the doctor has one line of each kind, also of what it did not come to', () => {
  const names = ['login', 'events', 'git', 'labels', 'rights', 'webhook', 'clock'];
  const told = withRest([{ name: 'login', ok: false, message: 'no answer' }]);
  assert.deepEqual(
    told.map(({ name, ok }) => [name, ok]),
    names.map((name) => [name, false]),
  );
  assert.equal(told[1]?.message, 'not looked at: see login');
  const whole: readonly ConnectionCheck[] = names.map((name) => ({ ...fine[0], name }) as ConnectionCheck);
  assert.deepEqual(withRest(whole), whole);
});
