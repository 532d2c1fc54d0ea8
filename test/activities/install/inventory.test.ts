import assert from 'node:assert/strict';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { filesScript } from '../../../activities/install/inside.ts';
import { listLeft, look } from '../../../activities/install/inventory.ts';
import { aptNode } from '../../../activities/nodes/packages/deb.ts';
import type { Node } from '../../../activities/nodes/packages/node.ts';
import { keptOutput } from '../../../activities/nodes/port.ts';
import { must, run } from '../../../activities/process/run.ts';
import { temporary } from '../repository/packages.ts';

const log = { write: () => {}, section: () => {}, close: async () => ({ name: 'log', url: '' }) };
const { signal } = new AbortController();

/** A node whose files are those of `tree`, where the real script looks for them. */
async function nodeOf(t: TestContext) {
  const root = await temporary(t);
  const [tree, programs, scripts] = ['tree', 'programs', 'scripts'].map((name) => join(root, name));
  assert.ok(tree !== undefined && programs !== undefined && scripts !== undefined);
  for (const each of [tree, programs, scripts]) await mkdir(each);
  const find = `#!/bin/sh\n[ ! -e '${root}/broken' ] || { echo find: no >&2; exit 1; }\nexec /usr/bin/find '${tree}' ! -type d\n`;
  const dpkg = "#!/bin/sh\nprintf 'alpha\\t1\\nbeta\\t2\\n'\n";
  for (const [name, text] of Object.entries({ find, 'dpkg-query': dpkg })) {
    await writeFile(join(programs, name), text, { mode: 0o755 });
  }
  await writeFile(join(scripts, 'files'), filesScript);
  await chmod(join(scripts, 'files'), 0o755);
  const exec = async ([program = '', ...argv]: readonly string[]) => {
    const env = { ...process.env, PATH: `${programs}:${process.env.PATH}` };
    const ended = await run(program.replace('/sluice', scripts), argv, { env });
    return { code: ended.code, output: `${ended.stdout}${ended.stderr}`.slice(-keptOutput), timedOut: false };
  };
  const node: Node = { name: 'node', machine: { exec, put: async () => {} }, manager: aptNode, signal, log };
  return { node, tree, breaks: () => writeFile(join(root, 'broken'), '') };
}

test('files that came are those that were not known, and left are those of them that are there still', async (t) => {
  const { node, tree } = await nodeOf(t);
  const at = (name: string) => join(tree, name);
  await writeFile(at('a b'), '');
  assert.deepEqual([...(await look(node, 'known', 1000)).packages].join(' '), 'alpha,1 beta,2');
  for (const name of ['back\\nslash', '*', 'gone', 'folder', 'packages:', 'ü']) await writeFile(at(name), '');
  await symlink('/nowhere', at('link'));
  await look(node, 'came', 1000);
  await writeFile(at('made later'), '');
  await rm(at('gone'));
  await rm(at('folder'));
  await mkdir(at('folder'));
  assert.deepEqual(await listLeft(node, 1000), ['*', 'back\\nslash', 'link', 'packages:', 'ü'].map(at));
  await look(node, 'also-known', 1000);
  await rm(at('a b'));
  await look(node, 'came', 1000);
  await writeFile(at('a b'), '');
  assert.deepEqual(await listLeft(node, 1000), []);
  await rm(at('link'));
  await look(node, 'known', 1000);
  await symlink('/nowhere', at('link'));
  await look(node, 'came', 1000);
  assert.deepEqual(await listLeft(node, 1000), [at('link')]);
});

test('of a system with more files than a program’s output is kept, each that stays is found', async (t) => {
  const { node, tree } = await nodeOf(t);
  await look(node, 'known', 1000);
  // Of output that is this long the beginning is not kept, and what comes first is there.
  await writeFile(join(tree, '0'), '');
  await must('sh', ['-c', 'seq -f "$1%g" 6000 | xargs touch', 'sh', 'x'.repeat(200)], { cwd: tree });
  await look(node, 'came', 10_000);
  await rm(tree, { recursive: true });
  await mkdir(tree);
  await writeFile(join(tree, '0'), '');
  assert.deepEqual(await listLeft(node, 10_000), [join(tree, '0')]);
});

test('files that cannot be listed are no empty list', async (t) => {
  const { node, breaks } = await nodeOf(t);
  await assert.rejects(listLeft(node, 1000), /cannot list the node's files/);
  await look(node, 'known', 1000);
  await breaks();
  await assert.rejects(look(node, 'came', 1000), /cannot list the node's files and packages: find: no/);
});
