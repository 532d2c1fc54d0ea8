import assert from 'node:assert/strict';
import { test } from 'node:test';
import { look } from '../../../activities/install/inventory.ts';
import { aptNode } from '../../../activities/nodes/packages/deb.ts';
import type { Node } from '../../../activities/nodes/packages/node.ts';

test('a file whose name looks like the list of packages hides none of them, and adds none', async () => {
  const asked: string[][] = [];
  const exec = async (argv: readonly string[]) => {
    asked.push([...argv]);
    const output = '/etc/a\n/etc/b\npackages:\nalpha\t9\n/etc/c\npackages:\nalpha\t1\nbeta\t2\n';
    return { code: 0, output, timedOut: false };
  };
  const log = { write: () => {}, section: () => {}, close: async () => ({ name: 'log', url: '' }) };
  const { signal } = new AbortController();
  const node: Node = { name: 'node', machine: { exec, put: async () => {} }, manager: aptNode, signal, log };
  const { files, packages } = await look(node, 1000);
  assert.deepEqual(
    [...packages],
    [
      ['alpha', '1'],
      ['beta', '2'],
    ],
  );
  assert.deepEqual(
    ['/etc/a', '/etc/b', '/etc/c'].map((path) => files.has(path)),
    [true, true, true],
  );
  assert.deepEqual(asked, [['/sluice/files', ...aptNode.installed]], 'in one turn');
});
