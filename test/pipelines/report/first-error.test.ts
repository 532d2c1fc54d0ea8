import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstError } from '../../../pipelines/report/first-error.ts';

const rows: readonly { readonly what: string; readonly output: string; readonly reason: string | null }[] = [
  {
    what: 'a compiler error, not the make lines after it',
    output: "checking for error... no\ncc -c a.c\na.c:3:5: error: 'x' undeclared\nmake: *** [a.o] Error 1\n",
    reason: "a.c:3:5: error: 'x' undeclared",
  },
  {
    what: 'a linker error',
    output: "/usr/bin/ld: a.o: undefined reference to `f'\ncollect2: error: ld returned 1 exit status\n",
    reason: "/usr/bin/ld: a.o: undefined reference to `f'",
  },
  {
    what: 'dpkg-deb’s own reason for a file name that it does not take',
    output:
      "dpkg-deb: building package 'nl' in '../nl_1_all.deb'.\ndpkg-deb: error: newline not allowed in pathname './usr/share/a\nb'\n" +
      'dh_builddeb: error: dpkg-deb --root-owner-group --build debian/nl .. returned exit code 2\n' +
      'dh_builddeb: error: Aborting due to earlier error\nmake: *** [debian/rules:3: binary] Error 25\n',
    reason: "dpkg-deb: error: newline not allowed in pathname './usr/share/a",
  },
  {
    what: 'what debhelper called and how it ended, without its many arguments',
    output: `no luck\ndh_auto_configure: error: ./configure ${'--disable-option-checking '.repeat(20)}returned exit code 3\n`,
    reason: 'dh_auto_configure: error: ./configure … returned exit code 3',
  },
  {
    what: 'a failed test',
    output: 'ok 1\nnot ok 2 - sums\nmake[1]: *** [check] Error 1\nerror: Bad exit status from x (%check)\n',
    reason: 'not ok 2 - sums',
  },
  {
    what: 'a failed test below debhelper',
    output:
      'FAIL: sums\ndh_auto_test: error: make -j2 check returned exit code 2\nmake: *** [debian/rules:3: binary] Error 25\n',
    reason: 'FAIL: sums',
  },
  {
    what: 'an option that the compiler does not know, below debhelper',
    output:
      'x86_64-linux-gnu-gcc: error: unrecognized command-line option ‘-nix’\nmake[1]: *** [a] Error 1\n' +
      'dh_auto_build: error: make -j2 returned exit code 2\n',
    reason: 'x86_64-linux-gnu-gcc: error: unrecognized command-line option ‘-nix’',
  },
  ...['make[1]: ./gen.sh: Permission denied', '/bin/sh: 1: ronn: not found'].map((reason) => ({
    what: 'a program that could not begin, below debhelper',
    output:
      `checking for ronn... not found\n${reason}\nmake[1]: *** [a] Error 127\n` +
      'dh_auto_build: error: make -j2 returned exit code 2\n',
    reason,
  })),
  {
    what: 'debhelper’s line, where what it called says nothing',
    output:
      'make[1]: *** [a] Error 1\ndh_auto_build: error: make -j2 returned exit code 2\nmake: *** [binary] Error 25\n',
    reason: 'dh_auto_build: error: make -j2 returned exit code 2',
  },
  {
    what: 'debhelper’s own word on the packaging',
    output:
      'dh clean\ndh: error: Package-field must be a valid package name, got: "a b"\n' +
      'make: *** [debian/rules:3: clean] Error 25\ndpkg-buildpackage: error: debian/rules clean subprocess returned exit status 2\n',
    reason: 'dh: error: Package-field must be a valid package name, got: "a b"',
  },
  ...['bash: fork: Resource temporarily unavailable', 'sh: 1: Cannot fork'].map((reason) => ({
    what: 'a shell that may begin no further process',
    output: `${reason}\nmake[1]: *** [debian/rules:5: override_dh_auto_build] Error 254\n`,
    reason,
  })),
  {
    what: 'a missing file of %files',
    output: 'Processing files: a\nerror: File not found: /b/usr/bin/a\nRPM build errors:\n',
    reason: 'error: File not found: /b/usr/bin/a',
  },
  {
    what: 'a heading brings the line below it along',
    output: 'error: Installed (but unpackaged) file(s) found:\n   /usr/bin/b\n',
    reason: 'error: Installed (but unpackaged) file(s) found: /usr/bin/b',
  },
  {
    what: 'P14: all that rpmbuild misses',
    output:
      'error: Failed build dependencies:\n\t(foo or bar) is needed by a-1-1.x86_64\n\tnosuch >= 3 is needed by a-1-1.x86_64\n\nRPM build warnings:\n',
    reason:
      'error: Failed build dependencies: (foo or bar) is needed by a-1-1.x86_64, nosuch >= 3 is needed by a-1-1.x86_64',
  },
  {
    what: 'a missing rule',
    output: "make: *** No rule to make target 'x'.  Stop.\n",
    reason: "make: *** No rule to make target 'x'.  Stop.",
  },
  {
    what: 'a fault of the makefile itself',
    output:
      'debian/rules:2: *** missing separator.  Stop.\ndpkg-buildpackage: error: debian/rules clean returned exit 2\n',
    reason: 'debian/rules:2: *** missing separator.  Stop.',
  },
  { what: 'nothing that tells', output: 'all is well\n', reason: null },
];

for (const { what, output, reason } of rows)
  test(`the reason is ${what}`, () => assert.equal(firstError(output), reason));
