import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asWritten,
  buildDependencies,
  readOffers,
  whyUnmet,
} from '../../../../pipelines/formats/deb/build-dependencies.ts';

test('P14: build dependencies are read as they are written, one by one', () => {
  const control = `Source: a
# Build-Depends: not-this
Build-Depends: debhelper-compat (= 14),
# nor, this: one
 foo [amd64] | bar <!nocheck>,
Build-Depends-Arch: baz:native
build-conflicts: qux

Package: a
Depends: other
`;
  const relations = buildDependencies(control);
  assert.deepEqual(relations, [
    'debhelper-compat (= 14)',
    'foo [amd64] | bar <!nocheck>',
    'baz:native',
    'Conflicts: qux',
  ]);
  assert.deepEqual(relations.map(asWritten).at(-1), 'Build-Conflicts: qux');
  assert.deepEqual(buildDependencies(''), []);
});

/** As apt 2.6 and 3.3 print it. */
const showpkg = `Package: debhelper-compat
Versions: 

Reverse Depends: 
  gem2deb,debhelper-compat 12
Dependencies: 
Provides: 
Reverse Provides: 
debhelper 13.11.4 (= 13)
debhelper 13.11.4 (= 12)
Package: zlib1g-dev
Versions: 
1:1.2.13.dfsg-1 (/var/lib/apt/lists/archive_Packages)
 Description Language: 
                 File: /var/lib/apt/lists/archive_Packages

Reverse Depends: 
Dependencies: 
1:1.2.13.dfsg-1 - libc6-dev (16 (null)) 
Provides: 
1:1.2.13.dfsg-1 - libz-dev (= ) 
Reverse Provides: 
Package: mail-transport-agent
Versions: 

Reverse Provides: 
exim4 4.96-15 (= )
`;

test('P14: a reason says what there is instead', () => {
  const offers = readOffers(showpkg);
  const chain = `The following packages have unmet dependencies:
 satisfy:command-line : Depends: zlib1g-dev but it is not going to be installed
 zlib1g-dev : Depends: libc6-dev but it is not installable
E: Unable to correct problems, you have held broken packages.`;
  const newer = `E: Unable to satisfy dependencies. Reached two conflicting assignments:
   1. satisfy:command-line:amd64=1 is selected for install
   2. satisfy:command-line:amd64 Depends zlib1g-dev
      but none of the choices are installable:
      - zlib1g-dev:amd64=1 is not selected for install because:
        1. zlib1g-dev:amd64=1 Depends libc6-dev
           but none of the choices are installable:
           [no choices]`;
  const cases: readonly (readonly [string, string, string])[] = [
    ['debhelper-compat (= 14)', '', 'there is 13, 12'],
    ['nosuch', '', 'there is no such package'],
    ['nosuch | zlib1g-dev (>= 2:1)', '', 'there is 1:1.2.13.dfsg-1'],
    ['mail-transport-agent (>= 2)', '', 'what provides it has no version'],
    ['zlib1g-dev', chain, 'zlib1g-dev: Depends: libc6-dev but it is not installable'],
    ['zlib1g-dev', newer, 'zlib1g-dev:amd64=1 Depends libc6-dev'],
    ['zlib1g-dev', 'E: of no use', 'what it needs itself cannot be met'],
    ['a b', 'E: Problem parsing dependency: a b', 'this is no relation'],
    ['Conflicts: dpkg', '', 'the build environment itself has it'],
  ];
  for (const [relation, said, reason] of cases) assert.equal(whyUnmet(relation, said, offers), reason, relation);
});
