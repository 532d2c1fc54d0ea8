import assert from 'node:assert/strict';
import { test } from 'node:test';
import { provenance } from '../../../pipelines/model/provenance.ts';
import {
  nameOnSite,
  readModuleAddress,
  readModuleEntries,
  resolveModuleUrl,
} from '../../../pipelines/model/submodule.ts';

test('addresses of submodules are resolved as git does it', () => {
  const rows: readonly (readonly [base: string, url: string, address: string | null])[] = [
    ['https://host/owner/app.git', '../lib.git', 'https://host/owner/lib.git'],
    ['https://host/owner/app.git/', '../lib.git/', 'https://host/owner/lib.git'],
    ['https://host/owner/app.git', '../../other/lib', 'https://host/other/lib'],
    ['https://host/owner/app.git', './lib', 'https://host/owner/app.git/lib'],
    ['https://host/owner/app.git', '.././../lib', 'https://host/lib'],
    ['https://host/owner/app.git', '../../../lib', null],
    ['https://host/owner/app.git', '../../../../evil/lib', null],
    ['git@host:owner/app.git', '../lib.git', 'git@host:owner/lib.git'],
    ['git@host:app.git', '../lib.git', 'git@host:lib.git'],
    ['git@host:app.git', '../../lib.git', null],
    ['ssh://user@host:29418/app', '../lib', 'ssh://user@host:29418/lib'],
    ['/srv/git/app.git', '../lib', '/srv/git/lib'],
    ['/app.git', '../lib', '/lib'],
    ['https://host/app', 'https://other/lib', 'https://other/lib'],
    ['https://host/app', '..', '..'],
  ];
  for (const [base, url, address] of rows) assert.equal(resolveModuleUrl(base, url), address, `${base} ${url}`);
});

test('an address is read in its parts, and what Git or a terminal could take for more is none', () => {
  const of = (url: string) => {
    const found = readModuleAddress(url);
    return found && [found.transport, found.host, found.port, found.path, found.secret].join(' ').replace(' false', '');
  };
  assert.equal(of('https://Host:8443/a/b.git/'), 'https host 8443 a/b');
  assert.equal(of('https://host:443/a%20b'), 'https host  a b');
  assert.equal(of('https://me:word@host/a'), 'https host  a true');
  assert.equal(of('git@Host:/a/b.git'), 'ssh host  a/b');
  assert.equal(of('file:///srv/a'), 'file   srv/a');
  assert.equal(of('/srv/a'), 'file   srv/a');
  assert.equal(of('ext::sh -c id'), null);
  assert.equal(of('ext::/bin/id'), 'ext   ext::/bin/id');
  assert.equal(of('git://host/a'), 'git host  a');
  for (const url of [
    '',
    '-u./x',
    'https://host/a\nb',
    'https://host/%0ahost',
    'x'.repeat(3000),
    'https://:99999999/',
  ]) {
    assert.equal(of(url), null, url.slice(0, 20));
  }
});

test('a repository of the same host is known by its name there, whatever way its address is written', () => {
  const rows: readonly (readonly [site: string, url: string, name: string | null])[] = [
    ['https://host', 'https://host/owner/lib.git', 'owner/lib'],
    ['https://host', 'https://HOST:443/owner/lib/', 'owner/lib'],
    ['https://host', 'git@host:owner/lib.git', 'owner/lib'],
    ['https://host', 'ssh://git@host/owner/lib', 'owner/lib'],
    ['https://host', 'http://host/owner/lib', null],
    ['https://host', 'https://host.evil.org/owner/lib', null],
    ['https://host', 'https://host:8443/owner/lib', null],
    ['https://host/tea', 'https://host/tea/owner/lib', 'owner/lib'],
    ['https://host/tea', 'https://host/owner/lib', null],
    ['https://host/tea', 'https://host/teapot/lib', null],
    ['ssh://me@host:29418', 'ssh://you@host:29418/lib', 'lib'],
    ['ssh://me@host:29418', 'https://host/lib', null],
    ['/srv/git', '/srv/git/lib.git', 'lib'],
    ['/srv/git', '/srv/other/lib', null],
    ['/srv/git', 'file:///srv/git/lib', 'lib'],
  ];
  for (const [site, url, name] of rows) assert.equal(nameOnSite(site, url), name, `${site} ${url}`);
});

test('entries of .gitmodules: the last setting counts, and what has no path or no url is none', () => {
  const listing = [
    'submodule.a.b.path\nlib/a/',
    'submodule.a.b.url\nfirst',
    'submodule.a.b.url\nsecond',
    'submodule.none.path\nlib/none',
    'submodule.none.url\nx',
    'submodule.none.update\nnone',
    'submodule.half.path\nhalf',
    'core.path\nx',
    '',
  ].join('\0');
  assert.deepEqual(
    [...readModuleEntries(listing)],
    [
      ['lib/a', { url: 'second', empty: false }],
      ['lib/none', { url: 'x', empty: true }],
    ],
  );
});

test('a statement names submodules beside the source', () => {
  const [commit, tree] = ['c'.repeat(40), 'd'.repeat(40)];
  const file = { name: 'app.deb', kind: 'binary', package: 'app', version: '1', arch: 'all', size: 1 } as const;
  const { predicate } = provenance({
    manifest: {
      ...{ format: 'deb', platform: 'debian-12', build: 'b-1', started: '', finished: '', files: [] },
      source: { project: 'app', branch: 'main', commit, tree, name: 'app', version: '1' },
      submodules: [
        { path: 's', commit: 'e'.repeat(40), source: 'lib/lib' },
        { path: 's/t', commit: 'f'.repeat(40), source: 'https://host/t.git' },
      ],
      environment: { image: `sha256:${'0'.repeat(64)}`, packages: [], repositories: [] },
    },
    file: { ...file, digest: `sha256:${'1'.repeat(64)}` },
  });
  assert.deepEqual(predicate.buildDefinition.resolvedDependencies.slice(0, 3), [
    { uri: 'git+app@main', digest: { gitCommit: commit, gitTree: tree } },
    { name: 's', uri: 'git+lib/lib', digest: { gitCommit: 'e'.repeat(40) } },
    { name: 's/t', uri: 'git+https://host/t.git', digest: { gitCommit: 'f'.repeat(40) } },
  ]);
});
