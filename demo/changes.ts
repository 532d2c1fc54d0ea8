/** One edit of a file: a text that must stand there exactly once is replaced, or the whole content is given. */
export type Edit =
  | { readonly path: string; readonly find: string; readonly replace: string }
  | { readonly path: string; readonly content: string; readonly executable?: boolean };

/** A change as a developer of the story would push it. */
export interface DemoChange {
  readonly id: string;
  readonly project: string;
  readonly subject: string;
  readonly body: string;
  /** Demo changes in other projects that it needs. */
  readonly needs?: readonly { readonly project: string; readonly id: string }[];
  readonly edits: readonly Edit[];
  /** What lint has to say of a line of it. */
  readonly remark?: { readonly file: string; readonly tag: string };
}

const countFunction = `/* cdb_count.c: number of records in a database
 *
 * This file is a part of tinycdb package. Public domain.
 */

#include "cdb_int.h"

int
cdb_count(struct cdb *cdbp) {
  unsigned position;
  int found, count = 0;
  cdb_seqinit(&position, cdbp);
  while ((found = cdb_seqnext(&position, cdbp)) > 0)
    ++count;
  return found < 0 ? found : count;
}
`;

const cdbcountScript = `#!/bin/sh
# Print the number of records in a constant database.
test $# -eq 1 || { echo "usage: cdbcount FILE" >&2; exit 2; }
cdb -l "$1" | grep -c .
`;

const mbwCountScript = `#!/bin/sh
# Copy a block COUNT times and show only the average.
test $# -eq 1 || { echo "usage: cdbcount COUNT" >&2; exit 2; }
mbw -q -n "$1" 1 | grep AVG
`;

/** The good change of step (a). */
const goodChange: DemoChange = {
  id: 'good',
  project: 'tinycdb',
  subject: 'Correct the article in the descriptions',
  body: 'It is a utility, and the package is one for maintaining databases.',
  edits: [
    {
      path: 'debian/control',
      find: 'Description: an utility to manipulate',
      replace: 'Description: utility to manipulate',
    },
    {
      path: 'tinycdb.spec',
      find: 'Summary: A package for maintenance of constant databases\n',
      replace: 'Summary: Utility and library for constant databases\n',
    },
  ],
};

/** Step (b): each must be stopped by another stage. */
const badChanges: readonly DemoChange[] = [
  {
    id: 'no-build',
    project: 'tinycdb',
    subject: 'Check the position in cdb_seqnext',
    body: 'A variable that nobody declared: the compiler stops it.',
    edits: [{ path: 'cdb_seq.c', find: 'if (pos > dend - 8)', replace: 'if (pos > dend - 8 || pos < header_size)' }],
  },
  {
    id: 'no-lint',
    project: 'mbw',
    subject: 'Add a script that runs all the tests',
    body: 'Its interpreter is nowhere that a package may rely on: lint refuses it.',
    remark: { file: 'debian/rules', tag: 'debian-rules-calls-pwd' },
    edits: [
      {
        path: 'mbw-all',
        content: '#!/usr/local/bin/sh\nfor test in 0 1 2; do mbw -q -t "$test" -n 1 1; done\n',
        executable: true,
      },
      {
        path: 'debian/rules',
        find: 'cp mbw $(CURDIR)/debian/mbw/usr/bin',
        replace: 'cp mbw mbw-all $(CURDIR)/debian/mbw/usr/bin\n\techo from $(PWD)',
      },
      {
        path: 'mbw.spec',
        find: 'install -m 644 -o root -g root mbw.1',
        replace: 'install -m 755 mbw-all %{buildroot}/usr/bin/mbw-all\ninstall -m 644 -o root -g root mbw.1',
      },
      { path: 'mbw.spec', find: '/usr/bin/mbw\n%doc', replace: '/usr/bin/mbw\n/usr/bin/mbw-all\n%doc' },
    ],
  },
  {
    id: 'no-run',
    project: 'mbw',
    subject: 'Start with the fastest test',
    body: 'Compiles, passes lint, installs; and then the program crashes.',
    edits: [
      {
        path: 'mbw.c',
        find: '    tests[0]=0;\n',
        replace: '    volatile int *fastest = NULL;\n    tests[0] = *fastest;\n',
      },
    ],
  },
];

/** A change whose own configuration would have it released while it is tested. */
const intruder: DemoChange = {
  id: 'intruder',
  project: 'mbw',
  subject: 'Release what I say',
  body: 'Nobody has approved this; it attaches a job that releases to check.',
  edits: [
    { path: '.zuul.yaml', content: '- project:\n    check:\n      jobs: [release-deb]\n' },
    { path: 'README.intruder', content: 'Signed, though nobody has read it.\n' },
  ],
};

/** Step (c), in the order of approval: the second breaks the system test only together with the first. */
const gateChanges: readonly DemoChange[] = [
  {
    id: 'library',
    project: 'tinycdb',
    subject: 'Add cdb_count and the tool cdbcount',
    body: 'A new symbol of the library, and a small tool that prints the number of records.',
    edits: [
      { path: 'cdb_count.c', content: countFunction },
      {
        path: 'cdb.h',
        find: 'int cdb_seqnext(unsigned *cptr, struct cdb *cdbp);',
        replace: 'int cdb_seqnext(unsigned *cptr, struct cdb *cdbp);\nint cdb_count(struct cdb *cdbp);',
      },
      { path: 'libcdb.map', find: '    cdb_seqnext;\n', replace: '    cdb_seqnext;\n    cdb_count;\n' },
      { path: 'Makefile', find: ' cdb_unpack.c \\\n', replace: ' cdb_unpack.c cdb_count.c \\\n' },
      {
        path: 'Makefile',
        find: ' cdb.h 644 $(includedir) - \\\n',
        replace: ' cdb.h 644 $(includedir) - \\\n\t cdbcount 755 $(bindir) - \\\n',
      },
      { path: 'cdbcount', content: cdbcountScript, executable: true },
      // Old packaging: library and tools share an RPM package, and the maintainer has decided that it stays so.
      { path: 'tinycdb.rpmlintrc', content: 'addFilter("non-versioned-file-in-library-package /usr/bin/cdbcount")\n' },
      {
        path: 'debian/rules',
        find: 'dh_install -ptinycdb cdb usr/bin',
        replace: 'dh_install -ptinycdb cdb cdbcount usr/bin',
      },
    ],
  },
  {
    id: 'clash',
    project: 'mbw',
    subject: 'Add a helper that counts copied blocks',
    body: 'Good by itself; but it is called cdbcount, as the tool of another change ahead in the queue.',
    edits: [
      { path: 'cdbcount', content: mbwCountScript, executable: true },
      {
        path: 'debian/rules',
        find: 'cp mbw $(CURDIR)/debian/mbw/usr/bin',
        replace: 'cp mbw cdbcount $(CURDIR)/debian/mbw/usr/bin',
      },
      {
        path: 'mbw.spec',
        find: 'install -m 644 -o root -g root mbw.1',
        replace: 'install -m 755 cdbcount %{buildroot}/usr/bin/cdbcount\ninstall -m 644 -o root -g root mbw.1',
      },
      { path: 'mbw.spec', find: '/usr/bin/mbw\n%doc', replace: '/usr/bin/mbw\n/usr/bin/cdbcount\n%doc' },
    ],
  },
  {
    id: 'consumer',
    project: 'cdbnet',
    subject: 'Answer how many records there are',
    body: 'Uses the new symbol of the library, so it can only be built on top of that change.',
    needs: [{ project: 'tinycdb', id: 'library' }],
    edits: [
      {
        path: 'cdbd.c',
        find: '    if (strncmp(line, "get ", 4) != 0) {',
        replace:
          '    if (strcmp(line, "count") == 0) {\n        fprintf(out, "+%d\\n", cdb_count(db));\n        return;\n    }\n    if (strncmp(line, "get ", 4) != 0) {',
      },
      { path: 'cdbd.8', find: '.SH SEE ALSO', replace: '.B count\nprints the number of records.\n.SH SEE ALSO' },
      {
        path: 'sluice/systest/lookup.yaml',
        find: '  - name: the client finds the key\n',
        replace:
          "  - name: the client learns the number of records\n    on: client\n    run: cdbq server 7000 count\n    expect: '+1'\n    within: 10\n  - name: the client finds the key\n",
      },
    ],
  },
];

/** For the story on machines: a system test that expects what the service does not say. */
const wrongAnswer: DemoChange = {
  id: 'wrong-answer',
  project: 'cdbnet',
  subject: 'Expect another answer',
  body: 'It builds and installs; the system test finds what the server really says.',
  edits: [{ path: 'sluice/systest/lookup.yaml', find: '    expect: first\n', replace: '    expect: second\n' }],
};

export const story = { goodChange, badChanges, intruder, gateChanges, wrongAnswer } as const;
