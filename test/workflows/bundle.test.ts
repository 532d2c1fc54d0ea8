import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleWorkflows } from '../../infra/temporal/bundle.ts';

const { code } = await bundleWorkflows();
const map = /sourceMappingURL=data:application\/json;[^,]*,([A-Za-z0-9+/=]+)/.exec(code)?.[1] ?? '';
const { sources } = JSON.parse(Buffer.from(map, 'base64').toString('utf8')) as { sources: string[] };

test('the bundle has the workflows', () => {
  for (const name of ['gate', 'buildSet', 'job', 'release', 'mirror', 'reviewSync', 'semaphores', 'timers']) {
    assert.match(code, new RegExp(`function ${name}\\(`));
  }
});

test('no code of activities, processes or commands is in the bundle', () => {
  assert.ok(sources.some((path) => path.endsWith('workflows/gate.ts')));
  const foreign = /(?<!node_modules.*)\/(activities|infra|server|cli)\/[^/]*/;
  assert.deepEqual(
    sources.filter((path) => foreign.test(path) && !path.endsWith('/workflows/activities.ts')),
    [],
  );
  for (const word of ['dockerode', 'child_process', 'fastify', 'pglite', '/zod/']) {
    assert.deepEqual(
      sources.filter((path) => path.includes(word)),
      [],
    );
  }
});

test('nothing of Node is in the bundle', () => {
  assert.doesNotMatch(code, /require\("node:(?!assert|url|util)/);
});
