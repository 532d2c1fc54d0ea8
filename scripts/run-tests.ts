import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type FileRun, toRunAgain } from './again.ts';
import { Places, watchLoad } from './places.ts';
import { Need, Queue } from './queue.ts';
import { type Count, runFile } from './run-file.ts';

const minute = 60_000;

/** A folder below `test/`; `atOnce` of its files run at once, and each may take `limit` milliseconds. */
interface Group {
  readonly name: string;
  readonly under: RegExp;
  readonly atOnce: number;
  readonly limit: number;
  /** Whether its next file begins before those of others that wait. */
  readonly ahead?: boolean;
}

/** The first that fits a file has it. The limits are for a machine that others keep busy. */
const groups: readonly Group[] = [
  { name: 'workflows', under: /^test\/(workflows|server)\//, atOnce: 2, limit: 15 * minute },
  { name: 'activities', under: /^test\/(activities|infra|hostile)\//, atOnce: 5, limit: 20 * minute },
  { name: 'e2e', under: /^test\/e2e\//, atOnce: 1, limit: 40 * minute, ahead: true },
  { name: 'unit', under: /^test\//, atOnce: 3, limit: 10 * minute },
];

/** How many files of all groups run at once. Most wait for something now and then: a core that idles is given another. */
const places = new Places({ least: 3, most: 5 });
/** Milliseconds between two looks whether processors idle, how much of them works at most then, and what a file needs. */
const look = { period: 3_000, load: 0.85, memory: 3 * 1024 ** 3 };

/** How many of a group's slowest files are told. */
const shown = 10;

/** What runs after what. The stories of `e2e` are told one after another, which takes long: they never wait. */
const order = [['check'], ['unit'], ['e2e', 'workflows', 'activities']];

/** Files that take minutes begin before the others of their group: no core waits for one of them at the end. */
const long = [
  'test/e2e/demo.test.ts',
  'test/infra/stack/stack.test.ts',
  'test/pipelines/simulate/properties.test.ts',
  ...[
    ...['install/install', 'build/deb', 'build/unmet', 'script/playbooks', 'nodes/killed', 'mirror/recovery'],
    ...['test-service/stage', 'systest/systest', 'build/rpm', 'build/excluded', 'mirror/pool', 'repocheck'],
    ...['review/gerrit/newest', 'install/upgrade', 'script/script'],
  ].map((name) => `test/activities/${name}.test.ts`),
];
/** What takes minutes, and the files that need it: building a Gitea, and booting a virtual machine. */
const slow = [
  { script: 'infra/gitea/build.ts', needed: /\/gitea\// },
  { script: 'test/activities/nodes/vm/prepared.ts', needed: /\/vm\// },
];
/** Files that need what is being built begin when it is: they would only hold a place, and their own limit would run. */
const builds: { readonly needed: RegExp; readonly build: Need }[] = [];

const checks: readonly { readonly name: string; readonly script: string; readonly args: readonly string[] }[] = [
  {
    name: 'format and lint',
    script: 'node_modules/@biomejs/biome/bin/biome',
    args: ['check', '--error-on-warnings', '.'],
  },
  { name: 'types', script: 'node_modules/typescript/bin/tsc', args: ['-p', '.'] },
  { name: 'types of the pages', script: 'node_modules/typescript/bin/tsc', args: ['-p', 'web'] },
];

function runChecks(): Count {
  const faults: string[] = [];
  for (const { name, script, args } of checks) {
    const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' });
    console.log(`${status === 0 ? '✔' : '✖'} ${name}`);
    if (status !== 0) faults.push(`✖ ${name}`);
  }
  return { passed: checks.length - faults.length, failed: faults.length, faults };
}

/** Each file's text comes as it ends, where several run at once; the slowest are told. `limit` is each one's, in ms. */
async function runFiles(files: readonly string[], { atOnce, limit, ahead }: Group): Promise<readonly FileRun[]> {
  const runs: FileRun[] = [];
  const rank = (file: string) => (long.includes(file) ? 0 : slow.some(({ needed }) => needed.test(file)) ? 1 : 2);
  const queue = new Queue(
    files.toSorted((one, other) => rank(one) - rank(other)),
    (file) => builds.find(({ needed }) => needed.test(file))?.build,
  );
  const lanes = Array.from({ length: atOnce }, async () => {
    for (let file = await queue.next(); file !== undefined; file = await queue.next()) {
      const next = file;
      await places.run(async () => {
        runs.push(await timed(next, limit));
      }, ahead);
    }
  });
  await Promise.all(lanes);
  const slowest = runs.toSorted((one, other) => other.seconds - one.seconds).slice(0, shown);
  for (const { file, seconds } of slowest) console.log(`${seconds} s ${file}`);
  return runs;
}

async function timed(file: string, limit: number): Promise<FileRun> {
  const start = performance.now();
  const count = await runFile(file, { limit });
  return { file, count, seconds: Math.round((performance.now() - start) / 1000) };
}

function sum(counts: readonly Count[]): Count {
  return {
    passed: counts.reduce((total, { passed }) => total + passed, 0),
    failed: counts.reduce((total, { failed }) => total + failed, 0),
    faults: counts.flatMap(({ faults }) => faults),
  };
}

const groupOf = (file: string) => groups.find(({ under }) => under.test(file));

async function runGroup(name: string): Promise<readonly Run[]> {
  if (name === 'check') return [{ count: runChecks() }];
  const files = globSync('test/**/*.test.ts').sort();
  const group = groups.find((each) => each.name === name);
  const own = files.filter((file) => groupOf(file) === group);
  return group === undefined ? [] : runFiles(own, group);
}

/** Of the checks, there is no file. */
type Run = FileRun | { readonly count: Count };

/** Runs again, one after another, what may be. @returns what counts, and the files that failed at first and passed then */
async function runAgain(runs: readonly Run[]): Promise<{ readonly counts: Count[]; readonly accidents: FileRun[] }> {
  const accidents: FileRun[] = [];
  // What needs no server passes always, or is wrong.
  const again = toRunAgain(runs.filter((run) => 'file' in run).filter(({ file }) => groupOf(file)?.name !== 'unit'));
  const counts = runs.filter((run) => !again.some((each) => each === run)).map(({ count }) => count);
  for (const run of again) {
    console.log(`\n== once more, alone: ${run.file}`);
    const second = await runFile(run.file, { limit: groupOf(run.file)?.limit ?? minute });
    if (second.failed === 0) accidents.push(run);
    counts.push(second.failed === 0 ? second : run.count);
  }
  return { counts, accidents };
}

/** Begins what is slow before anybody waits for it. What fails, fails again where it is needed. */
function beginBuilds(): void {
  for (const { script, needed } of slow) {
    // Not niced: beside tests that leave no processor idle, it would not be done in the time that it has.
    const build = spawn(process.execPath, [script], { stdio: 'ignore' });
    const start = performance.now();
    const tell = (how: unknown) =>
      console.log(`# ${script}: ${how} after ${Math.round((performance.now() - start) / 1000)} s`);
    const ended = once(build, 'exit').then(([code]) => tell(`ended with ${code}`), tell);
    builds.push({ needed, build: new Need(ended) });
  }
}

async function tellGroup(name: string): Promise<readonly Run[]> {
  const start = performance.now();
  console.log(`\n== ${name}`);
  const runs = await runGroup(name);
  const { passed, failed } = sum(runs.map(({ count }) => count));
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`== ${name}: ${passed} passed, ${failed} failed in ${seconds} s`);
  return runs;
}

/** Lets another file begin whenever there was room for it since the last look. */
function watchRoom(): void {
  const load = watchLoad();
  const addOne = () => {
    if (load() < look.load && process.availableMemory() > look.memory) places.addOne();
  };
  setInterval(addOne, look.period).unref();
}

/** Null where there is anything else. */
function options(): { readonly only?: string | undefined } | null {
  try {
    return parseArgs({ options: { only: { type: 'string' } } }).values;
  } catch {
    return null;
  }
}

async function main(): Promise<void> {
  const values = options();
  if (values === null || (values.only !== undefined && !order.flat().includes(values.only))) {
    console.error(`usage: npm test [-- --only ${order.flat().join('|')}]`);
    process.exitCode = 2;
    return;
  }
  const runs: Run[] = [];
  watchRoom();
  if (values.only === undefined || values.only === 'activities') beginBuilds();
  for (const names of order) {
    const wanted = names.filter((each) => values.only === undefined || each === values.only);
    runs.push(...(await Promise.all(wanted.map(tellGroup))).flat());
  }
  const { counts, accidents } = await runAgain(runs);
  const { passed, failed, faults } = sum(counts);
  for (const fault of faults) console.log(`\n${fault}`);
  for (const { file, count } of accidents) {
    console.log(`\n≈ ${file} passed when it ran again; at first:\n`, ...count.faults);
  }
  const twice = accidents.length > 0 ? `, ${accidents.length} of the files at their second run` : '';
  console.log(`\n${passed} passed, ${failed} failed${twice}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
