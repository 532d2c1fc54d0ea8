import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..', '..');

/** Rows of what users of ALTS know, by their numbers: from, to. */
const rows = [
  ...([
    [10, 15],
    [20, 29],
    [30, 41],
    [50, 70],
  ] as const),
];

/** Rows about its own parts, by words of the table that says what is in their place. */
const replaced: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['A-020', 'A-021', 'A-022', 'A-023'].map((id) => [id, 'RabbitMQ'])),
  ...Object.fromEntries(['A-025', 'A-026'].map((id) => [id, 'result backend on S3 or Azure'])),
  ...Object.fromEntries(['A-028', 'A-029'].map((id) => [id, '`docker-compose up`'])),
  'A-041': '`docker` and `any` alone',
};

const ids = rows.flatMap(([from, to]) =>
  Array.from({ length: to - from + 1 }, (_, index) => `A-${String(from + index).padStart(3, '0')}`),
);

test('each row has a test that is named by it, or a line in the documentation', () => {
  const files = globSync('test/**/*.test.ts', { cwd: root });
  const names = files.flatMap((file) => readFileSync(join(root, file), 'utf8').match(/\btest\((['"`]).*?\1/g) ?? []);
  const tested = new Set(names.flatMap((name) => name.match(/A-\d{3}/g) ?? []));
  assert.deepEqual(
    [...tested].filter((id) => !ids.includes(id)),
    [],
  );
  const table = readFileSync(join(root, 'docs/test-service.md'), 'utf8').split('## Beside ALTS')[1] ?? '';
  const first = table.split('\n').map((line) => line.split('|')[1] ?? '');
  const told = (id: string) => first.some((cell) => cell.includes(replaced[id] ?? '\0'));
  assert.deepEqual(
    ids.filter((id) => !tested.has(id) && !told(id)),
    [],
  );
});
