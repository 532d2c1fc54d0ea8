import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLocalGit } from '../../../../activities/git/local.ts';
import { parseChangeName } from '../../../../activities/review/gerrit/change-name.ts';
import { createClient } from '../../../../activities/review/gerrit/client.ts';
import { toEvents } from '../../../../activities/review/gerrit/events.ts';
import { readLine } from '../../../../activities/review/gerrit/ingest.ts';
import { toChange } from '../../../../activities/review/gerrit/map.ts';
import { emptyMemory } from '../../../../activities/review/gerrit/memory.ts';
import { readMessage } from '../../../../activities/review/gerrit/message.ts';
import { report } from '../../../../activities/review/gerrit/report.ts';
import { obstaclesOf } from '../../../../activities/review/gerrit/requirements.ts';
import { changeSchema } from '../../../../activities/review/gerrit/schema.ts';
import { mergedBy, occurrenceOf } from '../../../../activities/review/gerrit/stream.ts';
import { reportedIn, tagOf } from '../../../../activities/review/gerrit/tag.ts';
import { isOccurrenceId } from '../../../../activities/review/port.ts';
import { readKnownHosts } from '../../../../activities/ssh/known-hosts.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';

const place = { connection: 'review', url: 'https://review.example.org/r' };
const id = `I${'a'.repeat(40)}`;

const names: readonly (readonly [text: string, means: unknown])[] = [
  ['7', ['number', 7, null]],
  ['review:7', ['number', 7, null]],
  ['pkg/x~7', ['number', 7, 'pkg/x']],
  ['pkg/x/7', ['number', 7, 'pkg/x']],
  [id, ['change-id', id, null]],
  [`pkg/x~master~${id}`, ['change-id', id, 'pkg/x']],
  ['https://review.example.org/r/7', ['number', 7, null]],
  ['http://review.example.org/r/c/7/2', ['number', 7, null]],
  ['https://review.example.org/r/c/pkg/x/+/7', ['number', 7, 'pkg/x']],
  ['https://review.example.org/r/c/pkg%2Fx/+/7/3/debian/control#12', ['number', 7, 'pkg/x']],
  ['https://review.example.org/r/#/c/7/', ['number', 7, null]],
  ['https://review.example.org/7', null],
  ['https://elsewhere.example.org/r/c/pkg/x/+/7', null],
  ['other:7', null],
  ['0', null],
  ['7; rm -rf /', null],
  ['../7\n', ['number', 7, '..']],
  ['', null],
  ['9'.repeat(30), null],
];
for (const [text, means] of names) {
  test(`a change by the name ${JSON.stringify(text.slice(0, 60))}`, () => {
    const found = parseChangeName(text, place);
    const said = found && [found.kind, found.kind === 'number' ? found.number : found.changeId, found.project];
    assert.deepEqual(said, means);
  });
}

test('no text is more than a name or none', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const found = parseChangeName(`https://review.example.org/r/${text}`, place);
      assert.ok(found === null || found.kind === 'number' || found.kind === 'change-id');
    }),
  );
});

const messages: readonly (readonly [message: string, comment: string | null, votes: readonly [string, number][]])[] = [
  [
    'Patch Set 1: Code-Review+2 Verified-1\n\n(2 comments)\n\nfine',
    'fine',
    [
      ['Code-Review', 2],
      ['Verified', -1],
    ],
  ],
  ['Patch Set 12:\n\nrecheck', 'recheck', []],
  ['Patch Set 1: -Workflow', null, [['Workflow', 0]]],
  ['Patch Set 1: Verified+1\n\nBuild succeeded.\n\n- x', 'Build succeeded.\n\n- x', [['Verified', 1]]],
  ['Patch Set 1:\n\n(1 comment)', null, []],
  ['Uploaded patch set 1: Code-Review+1.', null, [['Code-Review', 1]]],
  ['recheck', 'recheck', []],
  ['Patch Set 1: Patch Set 2 is worse', 'Patch Set 1: Patch Set 2 is worse', []],
  ['<script>\u0000', '<script>\u0000', []],
];
for (const [message, comment, votes] of messages) {
  test(`the message ${JSON.stringify(message)}`, () => {
    const said = readMessage({ id: '', date: 0, message });
    assert.deepEqual([said.type, said.comment], ['comment-added', comment]);
    assert.deepEqual(
      said.votes.map(({ label, value }) => [label, value]),
      votes,
    );
  });
}

test('a message of any length is read in time that grows with it', () => {
  const message = `Patch Set 1: ${'a'.repeat(60_000)}${' '.repeat(2_000)}!`;
  const before = performance.now();
  readMessage({ id: '', date: 0, message });
  assert.ok(performance.now() - before < 10_000);
});

const at = (second: number) => `2026-11-27 12:00:${String(second).padStart(2, '0')}.000000000`;
const ada = { _account_id: 1, username: 'ada', email: 'ada@example.org' };
const sluice = { _account_id: 2, username: 'sluice' };
const revision = (number: number, second: number) => {
  return { _number: number, ref: `refs/changes/07/7/${number}`, created: at(second), uploader: ada };
};
const base = { _number: 7, project: 'x', branch: 'master', change_id: id, subject: 's', status: 'NEW', owner: ada };
const said = (second: number, message: string, more: object = {}) => {
  return { id: `m${second}`, author: ada, date: at(second), message, _revision_number: 1, ...more };
};
const uploaded = (second: number, number: number) =>
  said(second, `Uploaded patch set ${number}.`, { tag: 'autogenerated:gerrit:newPatchSet', _revision_number: number });
const read = (change: object, after = 0) =>
  toEvents(changeSchema.parse({ ...base, ...change }), { ...place, own: 'sluice' }, { landed: null, after });

test('events have numbers that stay, whatever comes later', () => {
  const all = [
    uploaded(1, 1),
    said(2, 'Patch Set 1: Code-Review+1'),
    uploaded(3, 2),
    said(3, 'Patch Set 2:\n\nwhy', { _revision_number: 2 }),
  ];
  const revisions = { a: revision(1, 1), b: revision(2, 3) };
  const whole = read({ messages: all, revisions });
  assert.deepEqual(
    whole.events.map(({ type, patchset }) => [type, patchset]),
    [
      ['patchset-created', 1],
      ['comment-added', 1],
      ['patchset-created', 2],
      ['comment-added', 2],
    ],
  );
  for (let seen = 1; seen <= all.length; seen += 1) {
    const then = read({ messages: all.slice(0, seen), revisions: seen < 3 ? { a: revision(1, 1) } : revisions });
    assert.equal(then.last, seen);
    assert.deepEqual([...then.events, ...read({ messages: all, revisions }, then.last).events], whole.events);
  }
});

test('a patch set that no message tells of is an event all the same, once', () => {
  const hashtag = said(1, 'Hashtag added: x', { tag: 'autogenerated:gerrit:setHashtag' });
  const first = read({ messages: [], revisions: { a: revision(1, 1) } });
  assert.deepEqual([first.events.map(({ type }) => type), first.last], [['patchset-created'], 1]);
  const then = read({ messages: [hashtag], revisions: { a: revision(1, 1) } }, first.last);
  assert.deepEqual(
    then.events.map(({ type, hashtags }) => [type, hashtags]),
    [['hashtags-changed', { added: ['x'], removed: [] }]],
  );
});

test('votes have their earlier values, and the other votes of who gives them', () => {
  const { events } = read({
    messages: [
      uploaded(1, 1),
      said(2, 'Patch Set 1: Code-Review+1 Workflow+1'),
      said(3, 'Patch Set 1: Code-Review-1'),
      said(4, 'Patch Set 1:\n\nrecheck'),
    ],
    revisions: { a: revision(1, 1) },
  });
  assert.deepEqual(events.map(({ approvals }) => approvals).slice(1), [
    [
      { label: 'Code-Review', value: 1, oldValue: 0 },
      { label: 'Workflow', value: 1, oldValue: 0 },
    ],
    [
      { label: 'Code-Review', value: -1, oldValue: 1 },
      { label: 'Workflow', value: 1 },
    ],
    [
      { label: 'Code-Review', value: -1 },
      { label: 'Workflow', value: 1 },
    ],
  ]);
});

test("Sluice's own vote is an event that no trigger names", () => {
  const own = said(2, 'Patch Set 1: Verified+1\n\nrecheck', { author: sluice, tag: 'autogenerated:sluice:check~1' });
  const { events } = read({ messages: [uploaded(1, 1), own], revisions: { a: revision(1, 1) } });
  assert.deepEqual(
    events.map(({ type }) => type),
    ['patchset-created', 'report'],
  );
});

test('who forges the tag of a merge merges nothing', () => {
  const forged = said(2, 'Change has been successfully merged', { tag: 'autogenerated:gerrit:merged' });
  assert.deepEqual(read({ messages: [uploaded(1, 1), forged], revisions: { a: revision(1, 1) } }).events.length, 1);
});

test('hostile text stays text, and hostile names are none of ours', () => {
  const commit = { parents: [], message: `x\ud800\n\nDepends-On: ${'y'.repeat(100_000)}\n` };
  const raw = {
    ...base,
    subject: '<b>\ud800\n',
    current_revision: 'a',
    revisions: { a: { ...revision(1, 1), commit } },
  };
  const around = { parents: [], dependsOn: [], landed: null };
  const change = toChange(changeSchema.parse(raw), place, around);
  assert.deepEqual([change?.subject, change?.message.isWellFormed()], ['<b>\ufffd\n', true]);
  for (const names of [{ project: '../x' }, { project: 'a b' }, { branch: '-x' }, { branch: 'a/../b' }]) {
    assert.equal(toChange(changeSchema.parse({ ...raw, ...names }), place, around), null);
  }
});

const line = (event: object) => JSON.stringify({ eventCreatedOn: 1_800_000_000, ...event });
test('a line of the stream is a reason to look, or a ref that moved', () => {
  const change = { project: 'x', branch: 'master', number: 7 };
  const look = readLine(line({ type: 'comment-added', change, comment: 'recheck' }), place);
  assert.deepEqual(look.kind === 'occurrence' && look.occurrence.news, [{ kind: 'look', change: 'review:7' }]);
  const refUpdate = { oldRev: 'a'.repeat(40), newRev: 'b'.repeat(40), refName: 'refs/heads/master', project: 'x' };
  assert.equal(readLine(line({ type: 'ref-updated', refUpdate }), place).kind, 'moved');
  const deleted = readLine(line({ type: 'ref-updated', refUpdate: { ...refUpdate, newRev: '0'.repeat(40) } }), place);
  assert.equal(deleted.kind, 'occurrence');
  const tag = readLine(line({ type: 'ref-updated', refUpdate: { ...refUpdate, refName: 'refs/tags/v1' } }), place);
  assert.equal(tag.kind === 'occurrence' && tag.occurrence.news[0]?.kind, 'event');
  for (const [text, kind] of [
    ['', 'malformed'],
    ['{"type":7}', 'malformed'],
    [line({ type: 'project-created' }), 'unknown'],
    [line({ type: 'ref-updated', refUpdate: { ...refUpdate, refName: 'refs/changes/07/7/meta' } }), 'unknown'],
    [line({ type: 'ref-updated', refUpdate: { ...refUpdate, project: '../x' } }), 'unknown'],
    [line({ type: 'ref-updated' }), 'malformed'],
  ]) {
    assert.equal(readLine(text ?? '', place).kind, kind, text);
  }
});

test('I9: what Sluice says at Gerrit itself is no reason to look, unless it votes', () => {
  const change = { project: 'x', branch: 'master', number: 7 };
  const said = (username: string, ...votes: object[]) => {
    const event = { type: 'comment-added', change, author: { username }, approvals: votes, comment: 'Started.' };
    return readLine(line(event), place, 'sluice').kind;
  };
  const old = { type: 'Verified', value: '1' };
  assert.equal(said('sluice'), 'unknown');
  assert.equal(said('sluice', old), 'unknown');
  assert.equal(said('sluice', old, { ...old, oldValue: '0' }), 'occurrence');
  assert.equal(said('ada'), 'occurrence');
});

test('any line is read, and its id can be one of an occurrence', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(), (type, number) => {
      const read = readLine(line({ type, change: { project: type, number } }), place);
      assert.ok(read.kind !== 'occurrence' || isOccurrenceId(read.occurrence.id));
    }),
  );
});

test('requirements about our own labels do not count, others do', () => {
  const requirement = (name: string, expression: string, status = 'UNSATISFIED') => {
    return { name, status, submittability_expression_result: { expression } };
  };
  const info = (...submit_requirements: object[]) => changeSchema.parse({ ...base, submit_requirements });
  const verified = requirement('Gate', 'label:Verified=MAX AND -label:Verified=MIN');
  assert.deepEqual(obstaclesOf(info(verified), ['Verified']), []);
  assert.deepEqual(obstaclesOf(info(verified), []), ['the requirement Gate is not met']);
  const mixed = requirement('Both', 'label:Verified=MAX AND label:Code-Review=MAX');
  const other = requirement('Comments', 'label:Verified=MAX AND -has:unresolved');
  assert.equal(obstaclesOf(info(mixed, other), ['Verified']).length, 2);
  assert.deepEqual(obstaclesOf(info(requirement('Met', 'x', 'SATISFIED')), []), []);
});

test('known hosts are read as OpenSSH does', () => {
  const key = Buffer.from('a key').toString('base64');
  const hashed = '|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=';
  const has = (text: string, host: string, port: number) =>
    readKnownHosts(text, { host, port }).has(Buffer.from('a key'));
  assert.ok(has(`[h]:29418 ssh-ed25519 ${key}\n`, 'h', 29_418));
  assert.ok(has(`# x\nother,h ssh-rsa ${key} comment\n`, 'h', 22));
  assert.ok(has(`${hashed} ssh-ed25519 ${key}\n`, '192.168.1.61', 22));
  assert.ok(!has(`h ssh-ed25519 ${key}\n`, 'h', 29_418));
  assert.ok(!has(`@revoked h ssh-ed25519 ${key}\nh ssh-ed25519 ${key}\n`, 'h', 22));
  assert.ok(!has(`@cert-authority h ssh-ed25519 ${key}\n* ssh-ed25519 ${key}\n`, 'h', 22));
  assert.deepEqual(readKnownHosts(`h ssh-rsa ${key}\n`, { host: 'h', port: 22 }).kinds, [
    'rsa-sha2-512',
    'rsa-sha2-256',
  ]);
});

test('a report is known again by its tag, with its pipeline and what it says of it', () => {
  const report = { key: 'k', change: 'review:1', patchset: 1, message: '', body: {} };
  const tag = tagOf({ ...report, about: { pipeline: 'check', action: 'merge-conflict' } });
  assert.match(tag, /^autogenerated:sluice:check~merge-conflict~[0-9a-f]{32}$/);
  assert.deepEqual(reportedIn(tag), { pipeline: 'check', action: 'merge-conflict' });
  assert.equal(tagOf({ ...report, key: 'k' }), tagOf(report));
  assert.notEqual(tagOf({ ...report, key: 'l' }), tagOf(report));
  for (const other of [
    tagOf(report),
    undefined,
    '',
    'autogenerated:gerrit:newPatchSet',
    'autogenerated:sluice:check~1',
  ]) {
    assert.deepEqual(reportedIn(other), {});
  }
});

test('I9: a merge is told by its change alone, though Gerrit’s index has lost it for a moment', async (t) => {
  const [newrev, proposed] = ['b'.repeat(40), 'c'.repeat(40)];
  const lists: string[] = [];
  const answers = [
    [],
    [
      { ...base, _number: 7 },
      { ...base, _number: 7 },
    ],
  ];
  const server = createServer(({ url = '' }, response) => {
    const isList = url.includes('/changes/?q=');
    if (isList) lists.push(url);
    const commit = { commit: newrev, parents: [{ commit: 'a'.repeat(40) }, { commit: proposed }] };
    response.end(`)]}'\n${JSON.stringify(isList ? answers[lists.length - 1] : commit)}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = {
    driver: 'gerrit',
    url,
    ssh: 'ssh://sluice@127.0.0.1:1',
    identity: '/x',
    knownHosts: '/x',
  } as const;
  const client = createClient({ settings, readSecret: async () => '' });
  const gerrit = { client, owns: () => true, memory: emptyMemory() };
  assert.deepEqual(await mergedBy(gerrit, { project: 'x', newrev }), [7]);
  assert.equal(lists.length, 2);
});

test('a branch that Sluice has moved itself is told by the change, and nobody is asked of which', async () => {
  const client = { read: () => Promise.reject(new Error('asked')), call: () => Promise.reject(new Error('asked')) };
  const memory = emptyMemory();
  const gerrit = { connection: 'review', url: 'https://review', client, owns: () => true, memory };
  const moved = (newRev: string) =>
    JSON.stringify({
      type: 'ref-updated',
      refUpdate: { project: 'x', refName: 'refs/heads/main', oldRev: 'a'.repeat(40), newRev },
    });
  memory.pushed.set('b'.repeat(40), true);
  assert.equal(await occurrenceOf(gerrit, moved('b'.repeat(40)), 'sluice'), null);
  await assert.rejects(occurrenceOf(gerrit, moved('c'.repeat(40)), 'sluice'), /asked/);
});

test('our own vote for a merge is no reason to look, and the merge that follows is, and is heard of', async () => {
  const memory = emptyMemory();
  const client = { read: () => Promise.reject(new Error('asked')), call: () => Promise.reject(new Error('asked')) };
  const gerrit = { connection: 'review', url: 'https://review', client, owns: () => true, memory };
  const hear = async (type: string, username: string, number = 7) => {
    const approvals = [{ type: 'Verified', value: '2', oldValue: '0' }];
    const event = { type, change: { project: 'x', branch: 'master', number }, author: { username }, approvals };
    return (await occurrenceOf(gerrit, line(event), 'sluice')) !== null;
  };
  memory.merging.set(7, true);
  assert.equal(await hear('comment-added', 'sluice'), false);
  assert.equal(await hear('comment-added', 'sluice', 8), true);
  assert.equal(await hear('comment-added', 'ada'), true);
  assert.equal(await memory.merges.wait(7, 60_000), false, 'nobody hears');
  memory.merges.heard = true;
  const waiting = memory.merges.wait(7, 60_000);
  assert.equal(await hear('change-merged', 'sluice'), true);
  assert.equal(await waiting, true);
  assert.equal(await memory.merges.wait(7, 60_000), true);
  assert.equal(await memory.merges.wait(8, 1), false);
  assert.equal(await hear('comment-added', 'sluice'), true);
});

test('what we report of a merge that was given up is a reason to look', async () => {
  const memory = emptyMemory();
  const current = { current_revision: 'c', revisions: { c: revision(1, 0) } };
  const info = { ...base, ...current, permitted_labels: { Verified: ['-1'] } };
  const client = {
    read: async () => info,
    call: async () => ({ ok: true as const, value: { labels: { Verified: -1 } }, headers: new Headers() }),
  };
  const git = createLocalGit('/nowhere');
  const place = { connection: 'review', url: 'https://review', page: '', own: 'sluice', owns: () => true };
  const gerrit = { ...place, git, client, memory };
  memory.merging.set(7, true);
  await report(gerrit, gateActor, {
    key: 'k',
    change: 'review:7',
    patchset: 1,
    message: 'Not merged.',
    body: { Verified: -1 },
  });
  assert.equal(memory.merging.has(7), false);
});
