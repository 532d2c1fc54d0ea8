import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Room } from '../../../activities/build/room.ts';
import { compare, judge } from '../../../activities/build/rpm/complete.ts';
import { placeSources } from '../../../activities/build/rpm/place-sources.ts';
import { openSource } from '../../../activities/build/source.ts';
import { must } from '../../../activities/process/run.ts';
import { scratch } from '../git/repository.ts';

const spec = `Name: talk
Version: 1
Release: 1
Summary: Talks
License: MIT
Source0: talk-1.tar.gz
Source1: talk.conf
%description
It talks.
%prep
%setup -q
%files
`;

async function write(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    if (text.startsWith('#!')) await chmod(join(root, path), 0o755);
  }
}

const tree = {
  say: '#!/bin/sh\necho hello\n',
  data: 'old\n',
  'talk.conf': 'loud\n',
  'keep.o': 'o',
  'backup~': 'b',
  '.gitattributes': '*.o binary\n',
  'docs/source/debian/index.rst': 'i',
  ' odd\nname': 'n',
};

interface Row {
  readonly what: string;
  /** What happens to the tree after it was noted, and before it is packed: a script. */
  readonly between?: string;
  /** What happens to SOURCES before the source package is made. */
  readonly sources?: string;
  readonly spec?: string;
  readonly differs: readonly string[];
}

const rows: readonly Row[] = [
  { what: 'a tree with names that other tools leave out', differs: [] },
  {
    what: 'a tree that a macro of the spec has written to',
    between: 'rm data; echo x > new; chmod -x say; echo other > "docs/source/debian/index.rst"; ln -sf elsewhere link',
    differs: ['lacks data', 'changes docs/source/debian/index.rst', 'changes link', 'turns say', 'adds new'],
  },
  {
    what: 'sources that are not those of the commit',
    sources: 'echo quiet > talk.conf',
    differs: ['changes talk.conf'],
  },
  {
    what: 'a spec that names more than was expected',
    spec: `${spec}%sourcelist\nmore.conf\n`,
    sources: 'echo more > more.conf',
    differs: ['adds more.conf'],
  },
  {
    what: 'a spec that keeps its sources out',
    spec: spec.replace('%description', 'NoSource: 0\nNoSource: 1\n%description'),
    differs: ['lacks talk-1.tar.gz', 'lacks talk.conf'],
  },
];

for (const { what, between, sources, differs, ...own } of rows) {
  test(`P12, P13, P7: the source package of ${what} is compared with the commit`, async (t) => {
    const root = await scratch(t);
    const text = own.spec ?? spec;
    const [commit, top] = [join(root, 'commit'), join(root, 'rpmbuild')];
    await write(commit, { ...tree, 'talk.spec': spec });
    await writeFile(Buffer.concat([Buffer.from(`${commit}/`), Buffer.from('caf\xe9', 'latin1')]), 'c');
    await symlink('no  ./where', join(commit, 'link'));
    await write(root, { compare, 'rpmbuild/SPECS/talk.spec': text, 'rpmbuild/SOURCES/talk.conf': tree['talk.conf'] });
    const sh = (cwd: string, ...argv: string[]) => must('sh', argv, { cwd, env: { HOME: root } });
    await sh(root, 'compare', 'list', commit, join(root, 'list'));
    await sh(commit, '-c', between ?? ':');
    await sh(commit, '-c', `tar -czf ${top}/SOURCES/talk-1.tar.gz --transform='flags=rSh;s,^\\.,talk-1,' .`);
    await sh(join(top, 'SOURCES'), '-c', sources ?? ':');
    await must('rpmbuild', ['--define', `_topdir ${top}`, '-bs', '--nodeps', join(top, 'SPECS/talk.spec')]);
    const withheld = text.includes('NoSource');
    const made = join(top, 'SRPMS', withheld ? 'talk-1-1.nosrc.rpm' : 'talk-1-1.src.rpm');
    const entry = (name: string, content: string) =>
      `${createHash('sha256').update(content).digest('hex')}  ./${name}\0`;
    await writeFile(join(root, 'files'), entry('talk.spec', text) + entry('talk.conf', tree['talk.conf']));
    const lists = [join(root, 'files'), join(root, 'list')];
    const { stdout } = await sh(root, 'compare', 'compare', made, ...lists, 'talk-1.tar.gz', 'talk-1');
    assert.deepEqual(stdout.split('\0').slice(0, -1), differs);
  });
}

test('P12: what a source package lacks is a fault unless the spec asks for it, what autoreconf made is none', () => {
  const archive = { name: 'a-1.tar.gz', directory: 'a-1', configured: false };
  const said = 'lacks a\0changes b c\0turns d\0adds e\0';
  assert.deepEqual(judge('', { archive, withheld: false }), { problem: null, notes: [] });
  assert.equal(
    judge(said, { archive, withheld: false }).problem,
    'the source package differs from the commit: it does not have a; it has another "b c"; it has another mode of d; it has besides e',
  );
  assert.deepEqual(judge('lacks a\0', { archive, withheld: true }), {
    problem: null,
    notes: ['left out, as NoSource or NoPatch asks: a'],
  });
  assert.deepEqual(judge(said, { archive: { ...archive, configured: true }, withheld: false }), {
    problem: 'the source package differs from the commit: it does not have a',
    notes: ['made by autoreconf: "b c", d, e'],
  });
});

/** A room that keeps what is put into it, by name, and does what it is told by saying nothing. */
async function emptyRoom(t: TestContext) {
  const placed = new Map<string, string>();
  const put = async (from: string) => void placed.set(basename(from), await readFile(from, 'utf8'));
  const room = { machine: { put }, context: { workdir: await scratch(t) }, build: async () => '' };
  return { room: room as unknown as Room, placed };
}

async function place(t: TestContext, files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>>) {
  const directory = join(await scratch(t), 'tree');
  await write(directory, files);
  for (const [path, text] of Object.entries(links)) await symlink(text, join(directory, path));
  const source = await openSource(directory);
  const { room, placed } = await emptyRoom(t);
  const path = 'packaging/talk.spec';
  const text = await readFile(join(directory, path), 'utf8');
  return { ...(await placeSources(text, { source, path, time: 1 }, room)), placed };
}

test('P5: a source that is a link is followed in the tree, and refused out of it', async (t) => {
  const files = { 'packaging/talk.spec': spec, 'etc/real': '#!/bin/sh\n', 'talk.conf': 'not this one' };
  const { files: found, archive, placed } = await place(t, files, { 'packaging/talk.conf': '../etc/real' });
  assert.deepEqual(
    found.map(({ name, executable }) => [name, executable]),
    [['talk.conf', true]],
  );
  assert.deepEqual(
    [placed.get('talk.conf'), archive?.name, archive?.directory],
    ['#!/bin/sh\n', 'talk-1.tar.gz', 'talk-1'],
  );
  for (const out of ['/etc/hostname', '../../secret']) {
    await assert.rejects(
      place(t, { 'packaging/talk.spec': spec }, { 'packaging/talk.conf': out }),
      /^BuildProblem: packaging\/talk\.conf is a link that leads out of the tree: commit what it stands for$/,
    );
  }
});

test('P5: beside a spec that is a link is where it leads, too', async (t) => {
  const files = { 'fedora/talk.spec': spec, 'fedora/talk.conf': 'f', 'packaging/other': '' };
  const { placed } = await place(t, files, { 'packaging/talk.spec': '../fedora/talk.spec' });
  assert.equal(placed.get('talk.conf'), 'f');
});
