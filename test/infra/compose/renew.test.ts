import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRenewal, type RenewDeps } from '../../../infra/compose/renew.ts';

/** A host whose project `acme/a` was renamed; its list is away for the first `failures` questions. */
function open(failures: number) {
  const warned: string[] = [];
  let left = failures;
  let now = 'acme/new';
  const host = {
    connection: 'tea',
    async listProjects() {
      left -= 1;
      if (left >= 0) throw new Error('tea does not answer');
      return ['acme/b', now];
    },
    nameNow: async (project: string) => (project === 'acme/a' ? now : null),
  };
  const projects = { 'acme/a': { connection: 'tea' }, 'acme/b': { connection: 'tea' }, 'own/*': { connection: 'git' } };
  const deps = {
    git: { ensure: async () => {} },
    live: { settings: () => ({ projects }), projects: () => [] },
    listing: { read: () => [], write: async () => {} },
    hosts: [host],
    warn: (_about: object, message: string) => void warned.push(message),
  } as unknown as RenewDeps;
  const rename = (to: string) => {
    now = to;
  };
  return { renewal: createRenewal(deps), warned, rename };
}

test('a project that is not under its name at its host is known after a look, and warned of', async () => {
  const { renewal, warned } = open(0);
  assert.deepEqual(renewal.absent(), []);
  renewal.renew('tea');
  renewal.renew('other');
  await sleep(20);
  assert.deepEqual(renewal.absent(), [{ connection: 'tea', project: 'acme/a', now: 'acme/new' }]);
  assert.deepEqual(warned, ['acme/a is called acme/new there: name it so in sluice.yaml']);
});

test('what the host has told of is looked at at once, also where it was looked a moment ago', async () => {
  const { renewal, rename } = open(0);
  renewal.renew('tea');
  await sleep(20);
  rename('acme/newer');
  renewal.renew('tea');
  await sleep(20);
  assert.equal(renewal.absent()[0]?.now, 'acme/new');
  await renewal.look('tea');
  assert.equal(renewal.absent()[0]?.now, 'acme/newer');
  await renewal.look('other');
});

test('who waits for the look hears that the host does not answer', async () => {
  const { renewal } = open(1);
  await assert.rejects(renewal.look('tea'), /tea does not answer/);
});

test('of a host that does not answer no project is missing, and the next look asks it again', async () => {
  const { renewal, warned } = open(1);
  renewal.renew('tea');
  await sleep(20);
  assert.deepEqual([renewal.absent(), warned], [[], ['cannot see what projects a review system has']]);
  renewal.renew('tea');
  await sleep(20);
  assert.equal(renewal.absent().length, 1);
});
