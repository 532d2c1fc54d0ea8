import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Actor, gateActor } from '../../../pipelines/model/actor.ts';
import { Denied, demand, may, type Operation } from '../../../pipelines/policy/access.ts';

const actors = {
  person: { name: 'ada', kind: 'person', via: 'ssh' },
  sluice: gateActor,
  worker: { name: 'worker', kind: 'worker', via: 'token' },
  anybody: { name: 'anonymous', kind: 'anybody', via: 'http' },
} as const satisfies Record<Actor['kind'], Actor>;

const table: Readonly<Record<Operation, string>> = {
  read: 'person sluice worker anybody',
  propose: 'person anybody',
  vote: 'person',
  comment: 'person',
  abandon: 'person',
  restore: 'person',
  enqueue: 'person sluice',
  dequeue: 'person sluice',
  promote: 'person',
  retrigger: 'person',
  cancel: 'person',
  release: 'person',
  prepare: 'person',
  expire: 'person',
  debug: 'person',
  hold: 'person',
  export: 'person',
  'by-hand': 'person',
  mirror: 'person',
  notify: 'person sluice',
  'open-secrets': 'worker',
  work: 'worker',
  audit: 'person',
  reload: 'person',
  report: 'sluice',
  merge: 'sluice',
};
for (const [operation, kinds] of Object.entries(table) as [Operation, string][]) {
  test(`S3: ${operation}: ${kinds}`, () => {
    const yes = Object.values(actors).filter((actor) => may(actor, operation, { name: 'git:1' }).ok);
    assert.equal(yes.map(({ kind }) => kind).join(' '), kinds);
  });
}

test('S3: nobody acts in another name, and is told who they are', () => {
  assert.deepEqual(may(actors.person, 'vote', { name: 'git:1', inNameOf: 'ada' }), { ok: true });
  const refused = may(actors.person, 'vote', { name: 'git:1', inNameOf: 'Ada <ada@example.org>' });
  assert.match(
    refused.ok ? '' : refused.reason,
    /you are ada here, and cannot vote in the name of "Ada <ada@example.org>"/,
  );
  assert.throws(() => demand(actors.anybody, 'vote', { name: 'git:1' }), Denied);
});
