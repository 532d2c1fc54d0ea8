import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

/** Passed and failed tests; a file that ran none, and a test that was skipped, count as failed. */
interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** Folders below `test/`, and how many of their files run at once; the first that fits a file has it. */
const groups: readonly { readonly name: string; readonly under: RegExp; readonly atOnce: number }[] = [
  { name: 'workflows', under: /^test\/(workflows|server)\//, atOnce: 2 },
  { name: 'activities', under: /^test\/(activities|infra|hostile)\//, atOnce: 2 },
  { name: 'e2e', under: /^test\/e2e\//, atOnce: 1 },
  { name: 'unit', under: /^test\//, atOnce: 2 },
];

const order = ['check', 'unit', 'workflows', 'activities', 'e2e'];

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
  let failed = 0;
  for (const { name, script, args } of checks) {
    const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' });
    console.log(`${status === 0 ? '✔' : '✖'} ${name}`);
    if (status !== 0) failed += 1;
  }
  return { passed: checks.length - failed, failed };
}

async function runFiles(files: readonly string[], atOnce: number): Promise<Count> {
  let [passed, failed] = [0, 0];
  const execArgv = ['--disable-warning=ExperimentalWarning'];
  const stream = run({ files: [...files], concurrency: atOnce, execArgv });
  stream.on('test:pass', ({ name, details, skip, todo }) => {
    const fault = files.includes(name) ? 'ran no test' : (skip ?? todo) ? 'was left out' : undefined;
    if (fault !== undefined) console.log(`✖ ${name} ${fault}`);
    if (fault !== undefined) failed += 1;
    else if (details.type !== 'suite') passed += 1;
  });
  stream.on('test:fail', ({ details }) => {
    // What holds a failed test is not another failure.
    if ((details.error as { failureType?: string }).failureType !== 'subtestsFailed') failed += 1;
  });
  for await (const text of stream.compose(new spec())) process.stdout.write(text);
  return { passed, failed };
}

async function runGroup(name: string): Promise<Count> {
  if (name === 'check') return runChecks();
  const files = globSync('test/**/*.test.ts').sort();
  const group = groups.find((each) => each.name === name);
  const own = files.filter((file) => groups.find(({ under }) => under.test(file)) === group);
  return own.length === 0 ? { passed: 0, failed: 0 } : runFiles(own, group?.atOnce ?? 1);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  if (values.only !== undefined && !order.includes(values.only)) {
    console.error(`--only wants one of ${order.join(', ')}`);
    process.exitCode = 2;
    return;
  }
  let [passed, failed] = [0, 0];
  for (const name of order.filter((each) => values.only === undefined || each === values.only)) {
    const start = performance.now();
    console.log(`\n== ${name}`);
    const count = await runGroup(name);
    const seconds = Math.round((performance.now() - start) / 1000);
    console.log(`== ${name}: ${count.passed} passed, ${count.failed} failed in ${seconds} s`);
    passed += count.passed;
    failed += count.failed;
  }
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
