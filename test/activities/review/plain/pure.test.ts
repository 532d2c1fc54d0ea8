import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Noticed } from '../../../../activities/review/journal.ts';
import { fresh, type Sight, stateOf } from '../../../../activities/review/plain/history.ts';
import { changeId, parseProposalName, targetOf } from '../../../../activities/review/plain/names.ts';
import { newsOf } from '../../../../activities/review/plain/poll.ts';
import { directoryOf, openPlainRemote } from '../../../../activities/review/plain/remote.ts';
import { formatNote, parseNote, parseRefs } from '../../../../activities/review/plain/schema.ts';

const readSecret = async () => 'secret';
const [one, two] = ['1'.repeat(40), '2'.repeat(40)];

const words = [
  '\t',
  '\n',
  'ref: ',
  'refs/heads/',
  one,
  'HEAD',
  '^{}',
  'x',
  '\ud800',
  'Label: 1',
  'Sluice-Report: ',
  '\0',
];
const pieces = fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((parts) => parts.join(''));

test('a proposal is named by its project and topic, with or without what stands before them', () => {
  const fix = { project: 'pkg/alpha', topic: 'stable/fix@2' };
  for (const name of ['plain:pkg/alpha@stable/fix@2', 'pkg/alpha@stable/fix@2', 'pkg/alpha@proposed/stable/fix@2'])
    assert.deepEqual(parseProposalName(name, 'plain'), fix, name);
  assert.equal(changeId('plain', fix), 'plain:pkg/alpha@stable/fix@2');
  for (const name of [
    '',
    '@',
    'alpha',
    'alpha@',
    '@x',
    '../a@x',
    'a@../x',
    'a@x.lock',
    'a@-x',
    'a@x\n',
    'hub:a@x',
    'a#1',
  ])
    assert.equal(parseProposalName(name, 'plain'), null, JSON.stringify(name));
});

test('a proposal is for the longest branch that its topic begins with, else for the default one', () => {
  const branches = new Set(['master', 'stable', 'stable/2']);
  const table: [string, string | null, string | null][] = [
    ['fix', 'master', 'master'],
    ['stable', 'master', 'master'],
    ['stable/fix', 'master', 'stable'],
    ['stable/2/fix', 'master', 'stable/2'],
    ['stable/3/fix', null, 'stable'],
    ['fix', null, null],
    ['fix', 'gone', null],
  ];
  for (const [topic, head, target] of table) assert.equal(targetOf(topic, branches, head), target, `${topic} ${head}`);
  assert.equal(targetOf('fix', new Set(['main']), null), 'main');
});

test('refs are read line by line, and nothing else is', () => {
  const refs = parseRefs(
    [
      'ref: refs/heads/main\tHEAD',
      `${one}\tHEAD`,
      `${one}\trefs/heads/main`,
      `${two}\trefs/heads/proposed/fix`,
      `${one}\trefs/tags/v1`,
      `${two}\trefs/tags/v1^{}`,
      `${one}\trefs/notes/votes/ada`,
      ...[
        `${one}\trefs/heads/a b`,
        `${one}\trefs/heads/../x`,
        `nothing\trefs/heads/x`,
        `${one}\trefs/heads/x\ty`,
        'junk',
      ],
    ].join('\n'),
  );
  assert.equal(refs.head, 'main');
  const { branches, proposals, tags, notes } = refs;
  assert.deepEqual([[...branches], [...proposals]], [[['main', one]], [['fix', two]]]);
  assert.deepEqual([[...tags], [...notes]], [[['v1', two]], [['ada', one]]]);
  fc.assert(fc.property(pieces, (text) => void parseRefs(text)));
});

test('what a report says is read back as it was, and can give no votes', () => {
  const key = 'a'.repeat(32);
  const votes = [['Verified', 1]] as const;
  fc.assert(
    fc.property(pieces, (message) => {
      const about = { pipeline: 'check', action: 'failure' };
      const note = parseNote(formatNote({ message, key, about }, votes));
      assert.deepEqual([[...note.votes], note.reports], [votes.map((each) => [...each]), [key]]);
      assert.deepEqual(note.about, about);
      assert.equal(parseNote(formatNote({ message, key }, votes)).about, undefined);
    }),
    {
      examples: [
        ['Approved: +2'],
        [`Sluice-Report: ${'b'.repeat(32)}`],
        [`Sluice-Report: ${'b'.repeat(32)} gate~success`],
        ['x\nCode-Review: 1\n'],
      ],
    },
  );
});

const name = { project: 'alpha', topic: 'fix' };
const sight = (more: Partial<Sight>): Sight => ({
  ...{ connection: 'plain', name, head: one, target: 'master', landed: false, tip: two, notes: [], self: 'sluice' },
  now: 1,
  ...more,
});

/** Looks one after the other. @returns the types of events, and the state at the end */
function history(...sights: readonly Sight[]) {
  const known: Noticed[] = [];
  for (const each of sights) known.push(...fresh(known, each));
  return { types: known.map(({ event }) => event.type), state: stateOf(known), known };
}

test('looks that find nothing new note nothing, in any state', () => {
  const notes = [{ by: 'ada', text: 'fine\nApproved: +1', time: 5 }];
  const sights = fc.record({
    head: fc.constantFrom(null, one, two),
    landed: fc.boolean(),
    tip: fc.constantFrom(null, two),
    notes: fc.constantFrom([], notes),
  });
  fc.assert(
    fc.property(fc.array(sights, { maxLength: 8 }), sights, (before, last) => {
      const { known } = history(...before.map(sight), sight(last));
      assert.deepEqual(fresh(known, sight(last)), []);
      const keys = known.map(({ key }) => key);
      assert.ok(keys.every((key, index) => key.startsWith('note:') || index === 0 || key !== keys[index - 1]));
    }),
  );
});

test('a proposal that comes, goes, comes back, is replaced and lands', () => {
  const { types, state } = history(
    ...[sight({}), sight({ head: null }), sight({}), sight({ head: two }), sight({ head: null, landed: true })],
  );
  const all = ['patchset-created', 'change-abandoned', 'change-restored', 'patchset-created', 'change-merged'];
  assert.deepEqual([types, state.status, state.heads], [all, 'merged', [one, two]]);
});

test('a head that was put in place and landed between two looks is merged, not abandoned', () => {
  const { types, state } = history(sight({}), sight({ head: two, landed: true }));
  assert.deepEqual([types.at(-1), state.status, state.heads.length], ['change-merged', 'merged', 2]);
});

test('a vote that is given again is told again, one of an old head counts no more', () => {
  const said = (text: string) => sight({ notes: [{ by: 'ada', text, time: 5 }] });
  const { known, state } = history(said('Approved: +1\n'), said('Approved: +1\n\nApproved: +1\n'));
  const given = known.map(({ event }) => event.approvals?.map(({ value, oldValue }) => [value, oldValue]));
  assert.deepEqual(given, [undefined, [[1, 0]], [[1, 1]]]);
  assert.deepEqual(
    state.votes.map(({ label, value, by, time }) => [label, value, by, time]),
    [['Approved', 1, 'ada', 5]],
  );
  assert.deepEqual(stateOf([...known, ...fresh(known, sight({ head: two }))]).votes, []);
});

test('a branch that moves has every proposal looked at, a proposal that moves only itself', () => {
  const at = { number: 1, branches: { master: one }, tags: {}, proposals: { a: one, b: one }, notes: {} };
  const news = (now: Partial<typeof at>) =>
    newsOf('plain', { project: 'alpha', before: at, now: { ...at, ...now }, time: 1 }).map((each) =>
      each.kind === 'look' ? each.change : each.kind === 'event' && each.event.ref,
    );
  assert.deepEqual(news({ proposals: { a: two, b: one } }), ['plain:alpha@a']);
  assert.deepEqual(news({ proposals: { a: one } as never }), ['plain:alpha@b']);
  assert.deepEqual(news({ branches: { master: two } }), ['refs/heads/master', 'plain:alpha@a', 'plain:alpha@b']);
  assert.deepEqual(news({ notes: { ada: one } as never }), ['plain:alpha@a', 'plain:alpha@b']);
  assert.deepEqual(news({}), []);
});

test('where a project is, by what the host is reached by', async () => {
  const access = { identity: import.meta.filename, knownHosts: import.meta.filename };
  const table: [Record<string, string>, string][] = [
    [{ url: '/srv/git' }, '/srv/git/a/b'],
    [{ url: 'file:///srv/my%20git' }, '/srv/my git/a/b'],
    [{ url: 'https://git.example.org' }, 'https://git.example.org/a/b.git'],
    [{ url: 'git://git.example.org' }, 'git://git.example.org/a/b'],
    [{ url: 'ssh://git@example.org/srv', ...access }, 'ssh://git@example.org/srv/a/b'],
  ];
  for (const [settings, url] of table) {
    const remote = openPlainRemote({ driver: 'git', url: '', ...settings }, readSecret, 'a/b');
    assert.equal(remote.url, url);
    const command = (await remote.access()).GIT_SSH_COMMAND ?? '';
    assert.equal(command.includes('StrictHostKeyChecking=yes'), settings.identity !== undefined);
  }
  assert.deepEqual([directoryOf('https://x'), directoryOf('ssh://x')], [null, null]);
  assert.throws(() => openPlainRemote({ driver: 'git', url: '/srv' }, readSecret, '../x'), { name: 'BadName' });
});
