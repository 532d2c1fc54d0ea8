import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  readonly from: string;
  /** A package, `node:…`, or a path in the checkout. */
  readonly to: string;
  /** Gone when it runs. */
  readonly typeOnly: boolean;
  /** Loaded when it is needed. */
  readonly lazy: boolean;
}

interface Rule {
  readonly folder: string;
  /** Paths and packages that may be imported, by their beginnings. */
  readonly may: readonly string[];
  /** Likewise, for types alone. */
  readonly mayTypes?: readonly string[];
}

const pureLibraries = ['yaml', 're2js', 'zod'];

const closed: readonly Rule[] = [
  { folder: 'pipelines', may: ['pipelines/', ...pureLibraries] },
  {
    folder: 'workflows',
    may: ['workflows/', 'pipelines/', '@temporalio/workflow', '@temporalio/common'],
    mayTypes: ['activities/'],
  },
  {
    folder: 'demo',
    may: ['demo/', 'activities/', 'infra/', 'pipelines/', 'server/files/'].concat([
      'node:',
      '@fastify/static',
      'fastify',
      'yaml',
    ]),
    mayTypes: ['server/api/'],
  },
];

/** For folders that may import nearly everything: what they may not, and why. */
const open: readonly { readonly folder: string; readonly mayNot: readonly string[]; readonly because: string }[] = [
  {
    folder: 'activities',
    mayNot: ['@temporalio/worker', '@temporalio/workflow'],
    because: 'an activity is not a workflow',
  },
];

/** The layers, the lowest first; each knows those below it alone. */
const layers = ['pipelines', 'workflows', 'activities', 'web', 'server', 'infra', 'demo', 'cli'];

interface Arrow {
  readonly from: string;
  readonly to: readonly string[];
  readonly typesOnly?: true;
  readonly because: string;
}

/** `workflows/contract.ts`, in parts: what those on both sides of a workflow call by the same names. */
const contract = ['activities', 'contract', 'ids', 'messages', 'records', 'search-attributes']
  .concat([
    'job-input',
    'job-record',
    'job-stage',
    'nodes-contract',
    'semaphore-contract',
    'snapshots-contract',
    'test-task-contract',
  ])
  .map((part) => `workflows/${part}.ts`);

/** Every arrow between two folders; what is not here is not allowed. Tests and benchmarks may import everything. */
const arrows: readonly Arrow[] = [
  { from: 'workflows', to: ['pipelines/'], because: 'a workflow makes a pure decision durable' },
  { from: 'workflows', to: ['activities/'], typesOnly: true, because: 'what it asks for is typed by who does it' },
  { from: 'activities', to: ['pipelines/'], because: 'the model of what they work on' },
  { from: 'activities', to: contract, because: 'what they are asked and answer' },
  { from: 'web', to: ['server/api/types.ts'], typesOnly: true, because: 'it shows what the API answers' },
  { from: 'server', to: ['pipelines/', ...contract], because: 'it turns what happens into messages of workflows' },
  { from: 'server', to: ['activities/'], typesOnly: true, because: 'it knows ports: the adapters are handed to it' },
  {
    from: 'server',
    to: ['activities/files/', 'activities/review/port.ts', 'activities/repository/port.ts'],
    because: 'the one module that writes files; what an occurrence’s id may be; how the key beside an index is called',
  },
  { from: 'server', to: ['web/'], because: 'the same functions draw a page here and in the browser' },
  { from: 'infra', to: ['pipelines/', 'activities/', 'server/', ...contract], because: 'it puts the parts together' },
  { from: 'infra', to: ['workflows/mirror.ts'], typesOnly: true, because: 'what the mirror workflow asks of it' },
  { from: 'demo', to: ['pipelines/', 'activities/', 'infra/', 'server/files/'], because: 'it plays all parts' },
  { from: 'demo', to: ['server/api/types.ts'], typesOnly: true, because: 'it looks on through the API' },
  { from: 'cli', to: ['pipelines/'], because: 'the language, for commands that only read it' },
  { from: 'cli', to: ['server/api/types.ts'], typesOnly: true, because: 'commands speak to a server' },
  {
    from: 'cli',
    to: ['activities/', 'infra/'],
    because: 'an exception: some commands work without a server (up, build, lint, mirror, repo), when they act',
  },
  {
    from: 'cli',
    to: ['web/time.ts', 'web/address.ts', 'web/state.ts', 'web/inputs.ts', 'web/labels.ts'],
    because: 'times, addresses and how far a build is are written as on the page',
  },
  { from: 'cli', to: ['demo/'], because: 'the demo is a command' },
];

/** What a command may load only when it acts, so that `sluice` starts at once. */
const heavy = [
  '@temporalio/',
  '@octokit/',
  'fastify',
  '@fastify/',
  '@electric-sql/',
  'kysely',
  'dockerode',
  'playwright-core',
];

/** Adapters of one port, and the two formats: siblings that know nothing of each other. */
const siblings = ['activities/review', 'activities/nodes', 'activities/storage', 'activities/repository'].concat([
  'pipelines/formats',
  'activities/build',
  'activities/lint',
  'activities/mirror',
]);

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(root, file)));

const sources = files.filter((file) => file.endsWith('.ts'));
const production = sources.filter((file) => /^(pipelines|workflows|activities|server|cli|infra|web|demo)\//.test(file));
const texts = new Map(sources.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const imports = sources.flatMap(importsOf);

function importsOf(from: string): Import[] {
  const text = (texts.get(from) ?? '').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  const statement = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
  for (const [whole, type, to = ''] of text.matchAll(statement)) {
    if (whole.startsWith('export') && !whole.includes(' from ')) continue;
    const names =
      /\{([^}]*)\}/
        .exec(whole)?.[1]
        ?.split(',')
        .map((name) => name.trim())
        .filter(Boolean) ?? [];
    const onlyTypes = type !== undefined || (names.length > 0 && names.every((name) => name.startsWith('type ')));
    found.push({ from, to: resolve(from, to), typeOnly: onlyTypes, lazy: false });
  }
  for (const [, to = ''] of text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g))
    found.push({ from, to: resolve(from, to), typeOnly: false, lazy: true });
  return found;
}

function resolve(from: string, to: string): string {
  return to.startsWith('.') ? relative(root, join(root, dirname(from), to)) : to;
}

function within(path: string, beginnings: readonly string[]): boolean {
  return beginnings.some((each) => path === each || path.startsWith(/[/:]$/.test(each) ? each : `${each}/`));
}

function show({ from, to }: Import): string {
  return `${from} imports ${to}`;
}

for (const { folder, may, mayTypes = [] } of closed) {
  test(`${folder}/ imports nothing but ${[...may, ...mayTypes.map((each) => `types of ${each}`)].join(', ')}`, () => {
    const own = imports.filter(({ from }) => from.startsWith(`${folder}/`));
    const bad = own.filter(({ to, typeOnly }) => !within(to, may) && !(typeOnly && within(to, mayTypes)));
    assert.deepEqual(bad.map(show), []);
  });
}

for (const { folder, mayNot, because } of open) {
  test(`${folder}/ does not import ${mayNot.join(', ')}: ${because}`, () => {
    const bad = imports.filter(
      ({ from, to, typeOnly }) => from.startsWith(`${folder}/`) && !typeOnly && within(to, mayNot),
    );
    assert.deepEqual(bad.map(show), []);
  });
}

const folderOf = (path: string) => path.split('/', 1)[0] ?? '';
const across = imports.filter(
  ({ from, to }) => layers.includes(folderOf(from)) && files.includes(to) && folderOf(from) !== folderOf(to),
);
const follows = ({ from, to, typesOnly }: Arrow, one: Import) =>
  folderOf(one.from) === from && within(one.to, to) && (one.typeOnly || typesOnly === undefined);

test('every import from one folder to another is along an arrow of the table', () => {
  const bad = across.filter((one) => !arrows.some((arrow) => follows(arrow, one)));
  assert.deepEqual(bad.map(show), []);
});

test('no arrow of the table leads back up, but for types, and each is there for some import', () => {
  const height = (path: string) => layers.indexOf(folderOf(path));
  const up = arrows.filter(({ from, to }) => to.some((each) => height(each) >= height(from)));
  assert.deepEqual(
    up.map(({ from, to, typesOnly }) => [from, to, typesOnly]),
    [
      ['workflows', ['activities/'], true],
      ['web', ['server/api/types.ts'], true],
    ],
  );
  const idle = arrows.flatMap((arrow) =>
    arrow.to.filter((to) => !across.some((one) => follows({ ...arrow, to: [to] }, one))),
  );
  const elsewhere = (to: string) => contract.includes(to) && across.some((one) => one.to === to);
  assert.deepEqual(
    idle.filter((to) => !elsewhere(to)),
    [],
    'nothing needs these any more',
  );
});

/** The folders of `infra/`: each knows those of the lines before its own and of that alone. */
const infraLevels = [
  ['images'],
  ['config'],
  ['bootstrap'],
  ['temporal', 'store'],
  ['stack'],
  ['signer', 'git-host', 'gerrit', 'gitea'],
  ['common'],
  ['by-hand'],
  ['compose'],
];

test('no folder of infra/ imports one of a later level', () => {
  const level = (path: string) =>
    infraLevels.findIndex((folders) =>
      within(
        path,
        folders.map((each) => `infra/${each}`),
      ),
    );
  const own = imports.filter(({ from, to }) => from.startsWith('infra/') && to.startsWith('infra/'));
  assert.deepEqual(own.filter(({ from, to }) => level(from) < level(to) || level(from) === -1).map(show), []);
});

/** Who knows that a repository is a directory of this machine, besides `activities/git` and the host that keeps it. */
const directories: readonly { readonly path: string; readonly because: string }[] = [
  { path: 'infra/common/common.ts', because: 'it makes the port from a configuration' },
  { path: 'infra/common/modules.ts', because: 'it says where submodules of which repository are' },
  { path: 'infra/compose/apart-worker.ts', because: 'a worker elsewhere has a cache of its own' },
  { path: 'infra/common/stages.ts', because: 'tests of others are fetched into a directory of the build' },
  { path: 'infra/compose/host-lookup.ts', because: 'the signer has one of its own' },
  { path: 'activities/build/', because: 'the directory is the copy that a build works on' },
  { path: 'infra/git-host/known-templates.ts', because: 'it reads what the repositories of the file define' },
  {
    path: 'activities/review/plain/client.ts',
    because: 'git asks a host from within a repository, which holds nothing but notes',
  },
  { path: 'infra/by-hand/source.ts', because: 'the directory is the one that a person named' },
  { path: 'infra/by-hand/import-place.ts', because: 'an import has repositories of its own, made of bundles' },
];
/** What there is to know without a directory: the port, names, and what may be wrong with sources. */
const anywhere = ['port', 'names', 'brought-back', 'source-fault', 'fetch-fault'].map(
  (name) => `activities/git/${name}.ts`,
);

test('a repository is a directory to few', () => {
  const inside = ['activities/git/', 'activities/review/git/', ...directories.map(({ path }) => path)];
  const others = production.filter((file) => !within(file, inside));
  const bad = imports.filter(
    ({ from, to, typeOnly }) =>
      others.includes(from) && within(to, ['activities/git']) && !within(to, anywhere) && !typeOnly,
  );
  assert.deepEqual(bad.map(show), []);
  const naming = /\brepositoryPath\b|\}\.git[`/]/;
  assert.deepEqual(
    others.filter((file) => naming.test(texts.get(file) ?? '')),
    [],
  );
});

test('R15: released repositories change through their port alone', () => {
  const writing = /\b(stageTree|showStaged|removeStaged|newTree|showTree)\b/;
  const inside = ['activities/repository/', 'activities/storage/filesystem/released-writer.ts'];
  const others = production.filter((file) => !within(file, inside));
  assert.deepEqual(
    others.filter((file) => writing.test(code(file))),
    [],
  );
  const makers = imports.filter(({ to, typeOnly }) => within(to, inside.slice(1)) && !typeOnly).map(({ from }) => from);
  assert.deepEqual(
    makers.filter((from) => !within(from, ['infra/compose/releases.ts', 'cli/prune.ts', 'test'])),
    [],
  );
});

test('adapters of review systems have the same files', () => {
  const names = ['adapter', 'client', 'ingest', 'map', 'report', 'schema'];
  const folders = new Set(files.flatMap((file) => /^activities\/review\/[^/]+\//.exec(file)?.[0] ?? []));
  const missing = [...folders].flatMap((folder) => names.map((name) => `${folder}${name}.ts`));
  assert.deepEqual(
    missing.filter((file) => !files.includes(file)),
    [],
  );
});

test('of the product, nothing but its command imports demo/', () => {
  const users = imports.filter(({ from, to }) => within(to, ['demo']) && !within(from, ['demo', 'test', 'bench']));
  assert.deepEqual([...new Set(users.map(({ from }) => from))], ['cli/demo.ts']);
});

test('pipelines/ has no clock, no randomness and no input or output', () => {
  const impure =
    /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|setTimeout|setInterval|fetch\(|process\.|crypto\.)/;
  const bad = sources.filter((file) => file.startsWith('pipelines/')).filter((file) => impure.test(code(file)));
  assert.deepEqual(bad, []);
});

function code(file: string): string {
  return (texts.get(file) ?? '')
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    .replace(/'(?:[^'\\\n]|\\.)*'|`[^`]*`/g, "''");
}

test('stages know machines and leases, and nothing of the driver that lends them', () => {
  const knows = (to: string) => within(to, ['activities/nodes/docker', 'activities/nodes/registry.ts', 'dockerode']);
  const may = ['activities/nodes/docker', 'activities/nodes/registry.ts', 'infra', 'demo', 'test', 'bench'];
  assert.deepEqual(imports.filter(({ from, to }) => knows(to) && !within(from, may)).map(show), []);
});

test('adapters of one port do not import each other', () => {
  // What several of them speak by is none.
  const shared = 'activities/nodes/ssh/';
  const adapter = (path: string) => {
    if (path.startsWith(shared)) return undefined;
    const port = siblings.find((each) => path.startsWith(`${each}/`));
    const rest = port === undefined ? [] : path.slice(port.length + 1).split('/');
    return rest.length > 1 ? `${port}/${rest[0]}` : undefined;
  };
  const bad = imports.filter(({ from, to }) => {
    const [mine, theirs] = [adapter(from), adapter(to)];
    return mine !== undefined && theirs !== undefined && mine !== theirs && dirname(mine) === dirname(theirs);
  });
  assert.deepEqual(bad.map(show), []);
});

test('commands load heavy libraries only when they act', () => {
  const eager = (from: string, seen: Set<string>): string[] => {
    if (seen.has(from)) return [];
    seen.add(from);
    const next = imports.filter((each) => each.from === from && !each.lazy && !each.typeOnly);
    return next.flatMap((each) => (within(each.to, heavy) ? [show(each)] : eager(each.to, seen)));
  };
  assert.deepEqual(eager('cli/main.ts', new Set()), []);
  const commands = sources.filter(
    (file) => /^export function register/m.test(texts.get(file) ?? '') && within(file, ['cli']),
  );
  assert.deepEqual(new Set(commands.flatMap((file) => eager(file, new Set()))), new Set());
});

/**
 * Who may use the writing half of `node:fs`, by the beginnings of paths. What must be whole, and there after a power
 * failure, is written by `activities/files/`.
 */
const writers: readonly { readonly what: string; readonly files: readonly string[] }[] = [
  { what: 'the one module', files: ['activities/files/'] },
  {
    what: 'adapters of storage, each with its own order of steps',
    files: [
      'blob-store.ts',
      'log-intake.ts',
      'log-store.ts',
      'remove-blob.ts',
      'tree-store.ts',
      'released-store.ts',
    ].map((name) => `activities/storage/filesystem/${name}`),
  },
  {
    what: 'trees that nobody sees yet: whoever shows them waits for the disk',
    files: ['activities/repository/', 'activities/release/stage.ts'],
  },
  {
    what: "Git's own files",
    files: ['activities/git/', 'activities/review/git/'],
  },
  {
    what: 'modes and owners of directories with keys',
    files: ['activities/sign/key.ts', 'activities/secrets/keys.ts', 'activities/attest/builder-key.ts'].concat([
      'infra/stack/signer.ts',
    ]),
  },
  {
    what: 'work directories, made again by whoever repeats the work',
    files: ['build', 'install', 'lint', 'mirror', 'nodes', 'repocheck', 'script', 'sign', 'systest']
      .map((folder) => `activities/${folder}/`)
      .concat([
        'activities/keys/verify.ts',
        'activities/release/verify-statement.ts',
        'infra/by-hand/',
        'infra/store/template.ts',
      ]),
  },
  { what: 'images of machines, made beside their place and synced', files: ['infra/images/vm/'] },
  {
    what: 'files that a person asked for',
    files: ['cli/secret-encrypt.ts', 'cli/lint.ts', 'cli/at-server.ts'],
  },
  { what: 'measurements, and what this machine runs', files: ['infra/temporal/tool-times.ts', 'infra/bootstrap/'] },
  { what: 'servers for tests and the demo, made anew each time', files: ['infra/gerrit/', 'infra/gitea/'] },
  { what: 'the demo, which begins anew each time', files: ['demo/'] },
];

const writing =
  /\b(writeFile|appendFile|copyFile|cp|rename|link|symlink|chmod|utimes|truncate|createWriteStream)(Sync)?\b/;

test('R15: files are written by one module, but for those that are named here', () => {
  const found = production.filter((file) => {
    const imported = (texts.get(file) ?? '').matchAll(/^import \{([^}]*)\} from 'node:fs(?:\/promises)?';/gms);
    return [...imported].some(([, names = '']) => writing.test(names));
  });
  const known = writers.flatMap(({ files }) => files);
  assert.deepEqual(
    found.filter((file) => !within(file, known)),
    [],
    'use activities/files/, or say here why not',
  );
  assert.deepEqual(
    known.filter((each) => !found.some((file) => within(file, [each]))),
    [],
    'these write nothing any more',
  );
});

/** The first way found that leads back to where it began; undefined where there is none. */
function circle(arrows: readonly Pick<Import, 'from' | 'to'>[]): string | undefined {
  const next = Map.groupBy(arrows, ({ from }) => from);
  const done = new Set<string>();
  const visit = (place: string, path: readonly string[]): string | undefined => {
    if (path.includes(place)) return [...path.slice(path.indexOf(place)), place].join(' → ');
    if (done.has(place)) return undefined;
    for (const { to } of next.get(place) ?? []) {
      const found = visit(to, [...path, place]);
      if (found !== undefined) return found;
    }
    done.add(place);
    return undefined;
  };
  for (const place of next.keys()) {
    const found = visit(place, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

test('imports make no circle, those of types and those that wait counted', () => {
  assert.equal(circle(imports.filter(({ from }) => production.includes(from))), undefined);
});

test('nor do the folders of a layer; files beside them belong to none', () => {
  const folder = (path: string) => /^[^/]+\/[^/]+(?=\/)/.exec(path)?.[0];
  const between = imports.flatMap((each) => {
    const [from, to] = [folder(each.from), folder(each.to)];
    const counts = from !== undefined && to !== undefined && from !== to && folderOf(from) === folderOf(to);
    return counts && production.includes(each.from) ? [{ from, to }] : [];
  });
  assert.equal(circle(between), undefined);
});

test('a file has at most 300 lines, a test or benchmark 600', () => {
  const long = sources.filter((file) => {
    const limit = /^(test|bench)\//.test(file) ? 600 : 300;
    return (texts.get(file) ?? '').split('\n').length - 1 > limit;
  });
  assert.deepEqual(long, []);
});

test('file names are kebab-case, and there are no default exports', () => {
  const named = production.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d|\.test)?\.ts$/.test(basename(file)));
  assert.deepEqual(named, []);
  assert.deepEqual(
    sources.filter((file) => /^export default\b/m.test(texts.get(file) ?? '')),
    [],
  );
});

test('every folder of sources says in a README what lives there', () => {
  const folders = new Set(production.map((file) => dirname(file).split('/').slice(0, 2).join('/')));
  assert.deepEqual([...folders].filter((folder) => !existsSync(join(root, folder, 'README.md'))).sort(), []);
});

/** Written apart, so that this file does not find itself. */
const forbidden: readonly (readonly [what: string, pattern: RegExp])[] = [
  [
    'paths of one machine',
    new RegExp(`(^|[^A-Za-z])/(${['wo', 'rk'].join('')}|${['fa', 'rm'].join('')})/|${['node', '24'].join('')}\\b`),
  ],
  [
    'host names of package registries',
    new RegExp(
      [
        ['registry', 'npmjs'],
        ['pypi', 'org'],
        ['files', 'pythonhosted'],
        ['proxy', 'golang'],
        ['static', 'crates'],
        ['deb', 'debian', 'org'],
      ]
        .map((parts) => parts.join('\\.'))
        .join('|'),
    ),
  ],
  ['silenced checks', new RegExp(['biome-', 'ignore|@ts-', '(ignore|nocheck|expect-error)'].join(''))],
  [
    'unfinished work',
    new RegExp(['TO', 'DO\\b|FIX', 'ME\\b|\\.(only', 'skip)\\('].join('').replace('(only', '(only|')),
  ],
];

for (const [what, pattern] of forbidden) {
  test(`no file holds ${what}`, () => {
    const bad = files
      .filter((file) => !/\.(png|gz|deb|rpm)$/.test(file))
      .flatMap((file) => {
        const lines = readFileSync(join(root, file), 'utf8').split('\n');
        return lines.flatMap((line, index) =>
          pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 100)}`] : [],
        );
      });
    assert.deepEqual(bad, []);
  });
}
