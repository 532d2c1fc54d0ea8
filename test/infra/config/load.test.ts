import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { InvalidConfiguration, loadConfig, parseConfig } from '../../../infra/config/load.ts';
import { configReference } from '../../../infra/config/reference.ts';

const env = { PORT: '9000', NAME: 'deb', EMPTY: '' };

function parse(text: string) {
  return parseConfig({ path: 'sluice.yaml', text, directory: '/conf', env });
}

function problems(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof InvalidConfiguration);
    return error.message.split('\n');
  }
  return [];
}

const ref = (inner: string) => `$\{${inner}}`;
const set = (body: string) => `mirrors: {deb: {source: s, hosts: {m1: {url: /m}}, ${body}}}`;

const rejected: readonly (readonly [why: string, text: string, expected: readonly string[]])[] = [
  [
    'says of a second document what it is',
    'data: a\n---\ndata: b\n',
    ['sluice.yaml:2:1: a second document begins; a file has one'],
  ],
  [
    'says once what the parser says twice',
    'projects: { tally: { queue: x\n',
    ['sluice.yaml:2:1: Flow map in block collection must be sufficiently indented and end with a }'],
  ],
  [
    'refuses what a line says twice, says nothing with, or says of refs',
    `release:
  lines:
    a: { platforms: [debian-12, debian-12], with: [nosuch] }
    b: { platforms: [debian-13], with: [deb, deb], branches: ["refs/heads/x"] }
    c: { platforms: [], versions: sec }
`,
    [
      'sluice.yaml:3:33: release.lines.a.platforms.1: is given twice',
      'sluice.yaml:3:52: release.lines.a.with.0: no other repository of the format is called "nosuch": deb, b, c',
      'sluice.yaml:4:46: release.lines.b.with.1: is given twice',
      'sluice.yaml:4:63: release.lines.b.branches.0: must be a branch by its short name, without refs/heads/',
      'sluice.yaml:5:21: release.lines.c.platforms: must have at least 1 entry',
      'sluice.yaml:5:35: release.lines.c.versions: expected security or hotfix, found text',
    ],
  ],
  [
    'shows of a value that is of the wrong kind no more than the kind',
    `temporal:\n  port: ${ref('NAME')}\n`,
    ['sluice.yaml:2:9: temporal.port: expected a number, found text'],
  ],
  [
    'refuses lines of platforms that nobody knows, of two formats, and names that are taken',
    `release:
  lines:
    deb-13: { platforms: [debian-31] }
    both: { platforms: [debian-13, rpm-debian-13] }
    rpm-13: { platforms: [rpm-debian-13], codename: trixie }
    mixed: { platforms: [debian-13], with: [deb, rpm-13] }
`,
    [
      'sluice.yaml:3:27: release.lines.deb-13.platforms.0: no platform is called "debian-31"',
      'sluice.yaml:4:24: release.lines.both.platforms: must be of one format: DEB or RPM',
      'sluice.yaml:5:26: release.lines.rpm-13.platforms: has a platform and branch that are of the line both already: a package goes into one line',
      'sluice.yaml:5:53: release.lines.rpm-13.codename: is for APT repositories: leave it out',
      'sluice.yaml:6:25: release.lines.mixed.platforms: has a platform and branch that are of the line both already: a package goes into one line',
      'sluice.yaml:6:50: release.lines.mixed.with.1: no other repository of the format is called "rpm-13": deb, deb-13, both',
    ],
  ],
  [
    'tells of lines all at once: what each is wrong with, what only several show, and what is wrong elsewhere',
    `server: { listen: foo }
release:
  lines:
    a: { platforms: [debian-12, debian-31, debian-41], versions: sec, with: [b, nosuch, rpm, c] }
    b: { platforms: [debian-12], codenme: x, with: [a] }
    c: { platforms: [rpm-debian-13], codename: trixie, publish: later }
    d: { platforms: here, with: { a: b } }
platforms:
  mine: { format: deb }
`,
    [
      'sluice.yaml:1:19: server.listen: must be HOST:PORT, for example 127.0.0.1:8080',
      'sluice.yaml:4:33: release.lines.a.platforms.1: no platform is called "debian-31"',
      'sluice.yaml:4:44: release.lines.a.platforms.2: no platform is called "debian-41"',
      'sluice.yaml:4:66: release.lines.a.versions: expected security or hotfix, found text',
      'sluice.yaml:4:81: release.lines.a.with.1: no other repository of the format is called "nosuch": deb, b, d',
      'sluice.yaml:4:89: release.lines.a.with.2: no other repository of the format is called "rpm": deb, b, d',
      'sluice.yaml:4:94: release.lines.a.with.3: no other repository of the format is called "c": deb, b, d',
      'sluice.yaml:5:21: release.lines.b.platforms: has a platform and branch that are of the line a already: a package goes into one line',
      'sluice.yaml:5:34: "release.lines.b.codenme" is not a known key (did you mean "codename"?)',
      'sluice.yaml:6:48: release.lines.c.codename: is for APT repositories: leave it out',
      'sluice.yaml:6:65: release.lines.c.publish: expected merged or planned, found text',
      'sluice.yaml:7:21: release.lines.d.platforms: expected a list, found text',
      'sluice.yaml:7:33: release.lines.d.with: expected a list, found a map',
      'sluice.yaml:9:9: platforms.mine.codename: is required: text',
    ],
  ],
  [
    'refuses a line for a platform and branch of another',
    `release:
  lines:
    x: { platforms: [debian-12], branches: [main] }
    y: { platforms: [debian-12], branches: [next, main] }
    z: { platforms: [debian-12] }
`,
    [
      'sluice.yaml:4:21: release.lines.y.platforms: has a platform and branch that are of the line x already: a package goes into one line',
    ],
  ],
  [
    'refuses keys of a repository that are not those that sign, and none at all',
    `release:
  keys: { sign: [one, { kind: gnupg, home: g, fingerprint: "0123456789abcdef0123456789ABCDEF01234567" }] }
  deb: { keys: [] }
  rpm: { keys: [one, two] }
  lines:
    x: { platforms: [debian-13], keys: [one, one, "0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567", 0123456789abcdef0123456789ABCDEF01234567] }
`,
    [
      'sluice.yaml:3:16: release.deb.keys: must have at least 1 entry',
      'sluice.yaml:4:22: release.rpm.keys.1: no key of release.keys.sign is called "two": there are: one, 0123456789abcdef0123456789ABCDEF01234567',
      'sluice.yaml:6:46: release.lines.x.keys.1: is given twice',
      'sluice.yaml:6:105: release.lines.x.keys.3: is given twice',
    ],
  ],
  [
    'refuses a line by a name that is taken',
    'release:\n  lines:\n    rpm: { platforms: [debian-13] }\n',
    ['sluice.yaml:3:5: "rpm" is taken: give the line another name'],
  ],
  [
    'names a key that is not known where it stands',
    'data: x\ndta: y\n',
    ['sluice.yaml:2:1: "dta" is not a known key (did you mean "data"?)'],
  ],
  [
    'names a nested key with its whole path',
    'server:\n  listn: x\n',
    ['sluice.yaml:2:3: "server.listn" is not a known key (did you mean "listen"?)'],
  ],
  [
    'names every problem, in the order of the file',
    'server: {listen: foo}\ntemporal:\n  durability: medium\n',
    [
      'sluice.yaml:1:18: server.listen: must be HOST:PORT, for example 127.0.0.1:8080',
      'sluice.yaml:3:15: temporal.durability: expected fast or full, found text',
    ],
  ],
  [
    'names what is wrong under a bad name, and twice the same beside other faults',
    'mirrors:\n  bad name:\n    source: 3\n    heads: [x, x]\n    hosts: {a b: {url: "ftp://x"}}\n',
    [
      'sluice.yaml:2:3: "bad name" must be a name of letters, digits and ._+-, a letter or digit first',
      'sluice.yaml:3:13: mirrors.bad name.source: expected text, found a number',
      'sluice.yaml:4:16: mirrors.bad name.heads.1: is given twice',
      'sluice.yaml:5:13: "a b" must be a name of letters, digits and ._+-, a letter or digit first',
      'sluice.yaml:5:24: mirrors.bad name.hosts.a b.url: must be a directory, or an rsync://, ssh:// or sftp:// URL',
    ],
  ],
  [
    'refuses a limit of bandwidth that rsync takes for none',
    set('bandwidth: 512'),
    ['sluice.yaml:1:63: mirrors.deb.bandwidth: must be at least 1KiB; leave it out for no limit'],
  ],
  [
    'refuses a window that is none',
    set('window: "22-06"'),
    [
      'sluice.yaml:1:60: mirrors.deb.window: must be two times of the day and a time zone, such as "22:00-06:00 Europe/Paris"',
    ],
  ],
  [
    'M5: hosts that are one, and links that two sets would turn',
    `mirrors:
  a: {source: /r, heads: [stable, x/y], hosts: {m1: {url: /m1}, m2: {url: /m1/}}}
  b: {source: /r, heads: [other, stable, x, snapshots/x], hosts: {m1: {url: /m1}}}
  c: {source: /r, heads: [stable], hosts: {m1: {url: /m2}}}
  d: {source: /r, heads: [stable.target.txt], hosts: {m1: {url: /m2}}}
`,
    [
      'sluice.yaml:2:75: mirrors.a.hosts.m2.url: is the root of the host "m1" as well',
      'sluice.yaml:3:34: mirrors.b.heads.1: is a head of the set "a" on /m1',
      'sluice.yaml:3:42: mirrors.b.heads.2: lies above a head of the set "a" on /m1',
      'sluice.yaml:3:45: mirrors.b.heads.3: lies inside the snapshots',
      'sluice.yaml:3:45: mirrors.b.heads.3: lies inside the snapshots of the set "a" on /m1',
      'sluice.yaml:5:27: mirrors.d.heads.0: is where the history is kept of a head of the set "c" on /m2',
    ],
  ],
  [
    'says which variable is not set, and no more about that value',
    `temporal:\n  port: ${ref('NONE')}\n`,
    ['sluice.yaml:2:9: the environment variable NONE is not set'],
  ],
  [
    'takes an empty variable as not set',
    `tenant: ${ref('EMPTY')}`,
    ['sluice.yaml:1:9: the environment variable EMPTY is not set'],
  ],
  [
    'refuses a reference that is not closed',
    'data: $' + '{HOME/sluice\n',
    [`sluice.yaml:1:7: $\{HOME/sluice has no "}": write ${ref('NAME')}, or $$\{ for a plain $\{`],
  ],
  ['refuses a value that no path can have', 'data: "a\\0b"\n', ['sluice.yaml:1:7: must not have a NUL character']],
  [
    'says what an origin may be of',
    'release: {origin: "a\\nb"}\n',
    ['sluice.yaml:1:19: release.origin: must be of plain ASCII, on one line'],
  ],
  [
    'says what a broken reference should be',
    `tenant: ${ref('no-name')}`,
    [`sluice.yaml:1:9: ${ref('no-name')} is not a reference: write ${ref('NAME')} or ${ref('NAME:-default')}`],
  ],
  [
    'places broken YAML',
    'data: [x\n',
    ['sluice.yaml:2:1: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  ['refuses a key given twice', 'data: x\ndata: y\n', ['sluice.yaml:2:1: the key data appears twice in this map']],
  [
    'refuses a set name with a space',
    'mirrors: {"a b": {source: s, hosts: {m: {url: /m}}}}',
    ['sluice.yaml:1:11: "a b" must be a name of letters, digits and ._+-, a letter or digit first'],
  ],
  [
    'refuses a head that climbs out',
    set('heads: [../x]'),
    ['sluice.yaml:1:60: mirrors.deb.heads.0: must be a relative path without "." and ".."'],
  ],
  [
    'refuses an absolute snapshots directory',
    set('snapshots: /x'),
    ['sluice.yaml:1:63: mirrors.deb.snapshots: must be a relative path without "." and ".."'],
  ],
  [
    'refuses a set without hosts',
    'mirrors: {deb: {source: s, hosts: {}}}',
    ['sluice.yaml:1:35: mirrors.deb.hosts: must name at least one host'],
  ],
  [
    'wants what has no default',
    'mirrors: {deb: {hosts: {m1: {url: /m}}}}',
    ['sluice.yaml:1:16: mirrors.deb.source: is required: text'],
  ],
  [
    'refuses a time without a unit that it knows',
    set('keep: 3y'),
    ['sluice.yaml:1:58: mirrors.deb.keep: must be `latest`, 0 or a time such as 12h or 61d'],
  ],
  ...['http://x/y', 'ssh://h', 'rsync://h/', 'ssh://u:secret@h/p', 'ssh://h/p?x', '/a%zz'].map(
    (url) =>
      [
        `refuses ${url} as a mirror`,
        `mirrors: {deb: {source: s, hosts: {m1: {url: "${url}"}}}}`,
        [urlProblem(url)],
      ] as const,
  ),
  [
    'wants images for containers',
    'platforms: {x: {format: rpm, codename: el9, buildImage: i}}',
    ['sluice.yaml:1:16: platforms.x.testImage: must be given where nodes are containers'],
  ],
  [
    'says what a virtual machine cannot be',
    'platforms: {x: {format: rpm, codename: el9, arch: arm64, provider: vm, testImage: i, limits: {cpus: 1.5, memoryMiB: 64}}}',
    [
      'sluice.yaml:1:40: platforms.x.codename: must be one of deb12, deb13, deb14 where virtual machines are made here: give `image`',
      'sluice.yaml:1:51: platforms.x.arch: must be x86_64 where nodes are virtual machines',
      'sluice.yaml:1:83: platforms.x.testImage: is for containers: a virtual machine is made of `codename`',
      'sluice.yaml:1:94: platforms.x.limits: must have whole `cpus` where nodes are virtual machines',
      'sluice.yaml:1:94: platforms.x.limits: must have 192 `memoryMiB` where nodes are virtual machines',
    ],
  ],
  [
    'takes a network from containers alone',
    `platforms:
  a: {format: deb, codename: x, buildImage: i, testImage: i, network: none}
  b: {format: deb, codename: x, provider: vm, network: none}
  c: {format: deb, codename: x, buildImage: i, testImage: i, network: shut}
`,
    [
      'sluice.yaml:3:56: platforms.b.network: is for containers: a virtual machine reaches what is named for it',
      'sluice.yaml:4:71: platforms.c.network: expected open or none, found text',
    ],
  ],
  [
    'provisions virtual machines alone, by what is below the directory',
    `platforms:
  a: {format: deb, codename: x, buildImage: i, testImage: i, provision: {directory: d, run: [a.sh]}}
  b: {format: deb, codename: x, provider: vm, provision: {directory: d, run: [../a.sh, /b.sh]}}
  c: {format: deb, codename: x, provider: vm, provision: {directory: d, run: []}}
`,
    [
      'sluice.yaml:2:73: platforms.a.provision: is for virtual machines: give `provider: vm` as well',
      'sluice.yaml:3:79: platforms.b.provision.run.0: must be a path below `directory`: letters, digits and ._-',
      'sluice.yaml:3:88: platforms.b.provision.run.1: must be a path below `directory`: letters, digits and ._-',
      'sluice.yaml:4:78: platforms.c.provision.run: must have at least 1 entry',
    ],
  ],
  [
    'wants a disk from one place, with the digest of what is fetched',
    `platforms:
  a: {format: deb, codename: x, buildImage: i, testImage: i, image: {file: d}}
  b: {format: deb, codename: x, provider: vm, image: {}}
  c: {format: deb, codename: x, provider: vm, image: {url: "https://host/d", file: d}}
  d: {format: deb, codename: x, provider: vm, image: {url: "https://u:p@host/d", sha256: ABC, key: {env: K}}}
`,
    [
      'sluice.yaml:2:69: platforms.a.image: is for virtual machines: give `provider: vm` as well',
      'sluice.yaml:3:54: platforms.b.image.url: must be given, or `file`, and not both',
      'sluice.yaml:4:60: platforms.c.image.url: must be given, or `file`, and not both',
      'sluice.yaml:5:54: platforms.d.image.hostKey: must be given beside `key`',
      'sluice.yaml:5:60: platforms.d.image.url: must have no user in it: whoever reads this file would have it',
      'sluice.yaml:5:90: platforms.d.image.sha256: must be a SHA-256: 64 hexadecimal digits, in lower case',
    ],
  ],
  [
    'wants of an ISO image what installs a disk by it',
    `platforms:
  a: {format: deb, codename: x, provider: vm, image: {file: d, iso: {file: i}}}
  b: {format: deb, codename: x, provider: vm, image: {iso: {url: "https://host/i"}}}
  c: {format: deb, codename: x, provider: vm, image: {iso: {file: i, kernel: linux}}}
  d: {format: deb, codename: x, provider: vm, image: {iso: {file: i, append: quiet, label: "a b", size: 700}}}
  e: {format: deb, codename: x, provider: vm, image: {iso: {file: i, timeout: 2h}}}
`,
    [
      'sluice.yaml:2:61: platforms.a.image.file: belongs below `iso` where a system is installed',
      'sluice.yaml:3:60: platforms.b.image.iso.sha256: must be given for what is fetched',
      'sluice.yaml:4:60: platforms.c.image.iso.initrd: must be given beside `kernel`',
      'sluice.yaml:5:78: platforms.d.image.iso.append: is for a `kernel`: give that',
      'sluice.yaml:5:92: platforms.d.image.iso.label: must be 1 to 32 letters, digits, _ and -',
      'sluice.yaml:5:105: platforms.d.image.iso.size: must be at least 1MiB, in whole sectors of 512 bytes',
      'sluice.yaml:6:79: platforms.e.image.iso.timeout: must be at most 100m: a preparation as a whole has 2 hours',
    ],
  ],
  [
    'keeps containers for jobs without nodes',
    'platforms: {debian-12: {format: deb, codename: bookworm, provider: vm}}',
    [
      'sluice.yaml:1:68: platforms.debian-12.provider: must be docker for debian-12: programs of jobs without nodes run there',
    ],
  ],
  [
    'refuses a time of day that there is not',
    'snapshots: {prepareAt: "24:00"}',
    ['sluice.yaml:1:24: snapshots.prepareAt: must be a time of day such as 02:30'],
  ],
  [
    'refuses a project name that climbs out',
    'projects: {../x: {}}',
    ['sluice.yaml:1:12: "../x" must be a project name: letters, digits and ._+-, parts separated by "/"'],
  ],
  [
    'finds the place of a value behind an alias',
    'projects: {a: &p {queue: "x y"}, b: *p}',
    [
      ...['a', 'b'].map(
        (name) =>
          `sluice.yaml:1:26: projects.${name}.queue: must be a name of letters, digits and ._+-, a letter or digit first`,
      ),
    ],
  ],
];

function urlProblem(url: string): string {
  const said: Record<string, string> = {
    'http://x/y': 'must be a directory, or an rsync://, ssh:// or sftp:// URL',
    'ssh://h': 'needs a path',
    'rsync://h/': "needs the daemon's module",
    'ssh://u:secret@h/p': 'must not hold a password',
    'ssh://h/p?x': 'must end with its path: no "?" or "#"',
    '/a%zz': 'has a broken percent escape',
  };
  return `sluice.yaml:1:46: mirrors.deb.hosts.m1.url: ${said[url]}`;
}

for (const [why, text, expected] of rejected) test(`it ${why}`, () => assert.deepEqual(problems(text), expected));

test('an alias bomb ends in an error', () => {
  const lines = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef']) lines.push(`${to}: &${to} [${`*${from},`.repeat(9)}]`);
  assert.match(problems(lines.join('\n')).join('\n'), /Excessive alias count/);
});

test('references are replaced, and plain values are read again', () => {
  assert.equal(parse(`temporal:\n  port: ${ref('PORT:-1')}\n`).temporal.port, 9000);
  assert.equal(parse(`tenant: a-${ref('NAME')}`).tenant, 'a-deb');
  assert.equal(parse(`tenant: ${ref('NONE:-fallback')}`).tenant, 'fallback');
  assert.equal(parse(`release: {origin: "$${ref('NAME')}"}`).release.origin, ref('NAME'));
  assert.equal(parse('release: {origin: "$$' + '{a"}').release.origin, '$' + '{a');
  const mixed = parse(`release: {origin: "$$\{ of ${ref('NAME')}"}`);
  assert.equal(mixed.release.origin, '$' + '{ of deb', 'a plain one takes nothing of what follows');
});

test('a set of mirrors has the defaults of the contract, and absolute paths', () => {
  const settings = parse(
    'mirrors: {deb: {source: ./r, hosts: {m1: {url: a%20b}, m2: {url: "ssh://u@h:22/x", identity: id}}}}',
  );
  assert.deepEqual(settings.mirrors.deb, {
    source: '/conf/r',
    snapshots: 'snapshots',
    heads: [],
    commit: 'all',
    keep: 61 * 86_400,
    init: false,
    timeout: 60,
    hosts: { m1: { url: '/conf/a b' }, m2: { url: 'ssh://u@h:22/x', identity: '/conf/id' } },
  });
  assert.equal(parse(set('keep: latest')).mirrors.deb?.keep, 'latest');
  assert.equal(parse(set('keep: 0')).mirrors.deb?.keep, 0);
});

test('A-024 A-027: the test service is off unless it has a secret, which is never written down', () => {
  assert.equal(parse('').tests, undefined);
  const given = parse(
    'tests:\n  secret: {file: jwt}\n  callback: {url: https://build.example, token: {env: TOKEN}}\n',
  ).tests;
  assert.deepEqual(given, {
    ...{ secret: { file: '/conf/jwt' }, repositories: [], sources: [] },
    callback: { url: 'https://build.example', token: { env: 'TOKEN' } },
  });
  assert.throws(() => parse('tests:\n  secret: abc\n'), /tests\.secret: must be \{file: PATH\}/);
  assert.throws(() => parse('tests: {}\n'), /tests\.secret/);
  const files = 'tests:\n  secret: {file: jwt}\n  repositories: ["file:///etc"]\n';
  assert.throws(() => parse(files), /tests\.repositories\.0/);
});

test('a number that is too large or too small for any whole number is told once', () => {
  const said = 'sluice.yaml:1:18: workers.build: must be at';
  assert.throws(() => parse('workers: {build: 99999999999999999999}\n'), { message: `${said} most 256` });
  assert.throws(() => parse('workers: {build: -99999999999999999999}\n'), { message: `${said} least 0` });
});

test('there need be no file, and the file is found in the directory', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  t.after(() => rmSync(directory, { recursive: true }));
  assert.equal(loadConfig({ directory, env: {} }).file, null);
  assert.equal(loadConfig({ directory, env: {} }).data, join(directory, 'data'));
  writeFileSync(join(directory, 'sluice.yaml'), '# nothing but a comment\n');
  assert.equal(loadConfig({ directory, env: {} }).file, join(directory, 'sluice.yaml'));
  assert.equal(loadConfig({ directory, env: {}, data: 'other' }).data, join(directory, 'other'));
  assert.throws(
    () => loadConfig({ directory, file: 'none.yaml', env: {} }),
    /^InvalidConfiguration: none\.yaml:1:1: cannot be read: ENOENT: no such file or directory$/,
  );
});

test('docs/configuration.md is current', () => {
  const written = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
  assert.equal(written, configReference(), 'run: node scripts/write-config-reference.ts');
});
