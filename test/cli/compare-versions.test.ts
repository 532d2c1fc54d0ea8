import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../../activities/process/run.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

const rows: readonly {
  readonly what: string;
  readonly args: readonly string[];
  readonly input?: string;
  readonly prints: string;
  readonly code: number;
}[] = [
  { what: 'a pre-release is older', args: ['deb', '1.0~rc1-1', '1.0-1'], prints: '<\n', code: 0 },
  { what: 'no epoch is epoch 0', args: ['rpm', '0:1-1', '1-1'], prints: '=\n', code: 0 },
  { what: 'an epoch wins', args: ['rpm', '1:1-1', '9-1'], prints: '>\n', code: 0 },
  { what: 'with --json the answer is a document', args: ['rpm', '--json', '1', '2'], prints: '"<"\n', code: 0 },
  {
    what: 'with --json the answers to all lines are one document',
    args: ['rpm', '--json', '--stdin'],
    input: '1\t2\nx',
    prints: '[\n  "<",\n  "!"\n]\n',
    code: 0,
  },
  { what: 'what dpkg refuses is bad usage', args: ['deb', '1.0-', '1'], prints: '', code: 2 },
  { what: 'what rpm cannot parse is bad usage', args: ['rpm', '', '1'], prints: '', code: 2 },
  { what: 'one version alone is bad usage', args: ['rpm', '1'], prints: '', code: 2 },
  { what: 'an unknown format is bad usage', args: ['apk', '1', '2'], prints: '', code: 2 },
  {
    what: 'only blanks and tabs around a version are no part of it, however many',
    args: ['deb', '--stdin'],
    input: ` 1 \t1\n1\r\t1\n1${' '.repeat(200_000)}1\t1\n`,
    prints: '=\n!\n!\n',
    code: 0,
  },
  {
    what: 'each line of standard input has its answer, in order',
    args: ['deb', '--stdin'],
    input: '1\t2\n2\t1\n1\t1.\nx\t1\n1\n1\t2\t3\n\n1.0\t1.00',
    prints: '<\n>\n<\n!\n!\n!\n!\n=\n',
    code: 0,
  },
];

for (const { what, args, input, prints, code } of rows) {
  test(`compare-versions: ${what}`, async () => {
    const result = await run(process.execPath, [main, 'compare-versions', '--format', ...args], { input: input ?? '' });
    assert.deepEqual({ prints: result.stdout, code: result.code }, { prints, code }, result.stderr);
  });
}
