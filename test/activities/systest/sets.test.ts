import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aptNode } from '../../../activities/nodes/packages/deb.ts';
import type { Node } from '../../../activities/nodes/packages/node.ts';
import { installTogether } from '../../../activities/systest/default-scenario.ts';

/**
 * A node that says what it was asked; `refuses` holds packages that its solver does not put beside one another, `system`
 * lists what is installed, whatever it is told.
 */
function fakeNode(refuses: readonly string[] = [], system = '') {
  const did: string[] = [];
  const node: Node = {
    name: 'node',
    manager: aptNode,
    signal: new AbortController().signal,
    log: { write: () => {}, section: () => {}, close: () => Promise.reject(new Error('not here')) },
    machine: {
      exec: async (argv) => {
        const verb = argv.find((word) => ['install', 'purge'].includes(word)) ?? 'look';
        const names = argv.slice(argv.indexOf(verb) + 1).filter((word) => !word.startsWith('-'));
        const asked = argv.includes('--simulate') ? 'could' : verb;
        did.push(asked === 'look' ? `look ${argv.at(-1)}` : `${asked} ${names.join(' ')}`);
        const refused = asked === 'could' && refuses.every((name) => names.includes(name)) && refuses.length > 0;
        const output = argv[0] === 'dpkg-query' ? system : '';
        return { code: refused ? 100 : 0, output, timedOut: false };
      },
      put: async () => {},
    },
    door: { open: async () => void did.push('open'), close: async () => void did.push('close') },
  };
  const laboratory = { nodes: new Map([['node', node]]) };
  return { did, laboratory };
}

test('P8: without packages that exclude one another all are installed at once, and nothing else is asked', async () => {
  const { did, laboratory } = fakeNode();
  const cases = await installTogether(laboratory, { names: ['a', 'b'], apart: [] });
  assert.deepEqual(did, ['open', 'install a b', 'close', 'look a', 'look b']);
  assert.deepEqual(
    cases.map(({ suite, name }) => `${suite}: ${name}`),
    ['install', 'files of a', 'files of b'].map((name) => `all packages together: ${name}`),
  );
});

test('P8: sets are installed one after the other, each removed before the next, also by what packages need', async () => {
  const { did, laboratory } = fakeNode(['a', 'needs-b']);
  const cases = await installTogether(laboratory, { names: ['a', 'b', 'needs-b'], apart: [['a', 'b']] });
  assert.deepEqual(did, [
    ...['could a needs-b', 'could b needs-b'],
    ...['open', 'install a', 'close', 'look a'],
    ...['purge a', 'open', 'install b needs-b', 'close', 'look b', 'look needs-b'],
  ]);
  assert.deepEqual([...new Set(cases.map(({ suite }) => suite))], ['set 1 of 2', 'set 2 of 2']);
  assert.ok(cases.every(({ failure }) => failure === undefined));
});

test('P8: the system may keep its own of what is under test in another set, until that comes', async () => {
  const { laboratory } = fakeNode([], 'b\t1.0\n');
  const nodes = new Map([...laboratory.nodes].map(([name, node]) => [name, { ...node, tested: tested('2.0') }]));
  const failures = async (names: readonly string[]) => {
    const cases = await installTogether({ nodes }, { names, apart: [['a', 'b']] });
    return cases.flatMap(({ suite, failure }) => (failure === undefined ? [] : `${suite}: ${failure.message}`));
  };
  const stands = 'b 1.0 is installed in the place of 2.0, which is under test';
  assert.deepEqual(await failures(['a', 'b']), [`set 2 of 2: ${stands}`]);
  assert.deepEqual(await failures(['b', 'a']), [`set 1 of 2: ${stands}`]);
  assert.deepEqual(await failures(['c']), [`all packages together: ${stands}`]);
});

function tested(version: string): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(['a', 'b'].map((name) => [name, new Set([version])]));
}
