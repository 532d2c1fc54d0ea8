import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type Mutation, mutations } from './mutations.ts';

const root = join(import.meta.dirname, '../../..');

/** The workflows with one line switched off, and the model with them; all else is what it is. */
async function mutated({ file, from, to }: Mutation): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'sluice-mutation-'));
  await mkdir(join(copy, 'test/workflows'), { recursive: true });
  await cp(join(root, 'workflows'), join(copy, 'workflows'), { recursive: true });
  await cp(join(root, 'test/workflows/model'), join(copy, 'test/workflows/model'), { recursive: true });
  for (const name of ['package.json', 'node_modules', 'pipelines', 'activities', 'server', 'test/workflows/make.ts']) {
    await symlink(join(root, name), join(copy, name));
  }
  const path = join(copy, 'workflows', file);
  const text = await readFile(path, 'utf8');
  assert.equal(text.split(from).length, 2, `${file} has this line once: ${from}`);
  await writeFile(path, text.replace(from, to));
  return copy;
}

async function play(copy: string, story: string): Promise<string> {
  const names = `--test-name-pattern=^${story}`;
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--test-reporter=tap',
    names,
    'test/workflows/model/gate.test.ts',
  ];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const ran = promisify(execFile)(process.execPath, args, { cwd: copy, env, maxBuffer: 64 * 1024 * 1024 });
  return ran.then(
    () => '',
    (error: { readonly stdout: string }) => error.stdout,
  );
}

for (const mutation of mutations) {
  test(`R15: the stories notice when this is off: ${mutation.off}`, async () => {
    const copy = await mutated(mutation);
    try {
      assert.match(await play(copy, mutation.story), mutation.says);
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  });
}

test('the README has the table of what is switched off', async () => {
  const readme = await readFile(join(import.meta.dirname, 'README.md'), 'utf8');
  for (const { off, story } of mutations) {
    assert.ok(readme.includes(`| ${off} `) && readme.includes(story), `${off}: ${story}`);
  }
});
