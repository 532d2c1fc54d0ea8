import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const progress = new URL('../../cli/progress.ts', import.meta.url).href;

test('a terminal that does not know its width gets plain lines', () => {
  const code = `
    const { runSteps } = await import('${progress}');
    await runSteps([{ title: 'Temporal', run: async (report) => report('fetched') }]);`;
  const command = `'${process.execPath}' --input-type=module --eval "$CODE"`;
  const { CI: _, ...env } = process.env;
  const { stdout } = spawnSync('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env, CODE: code },
  });
  assert.match(stdout, /^Temporal …\r\nTemporal: done in \d[^\r\n]*\r\n$/);
});
