import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { putAhead, type World } from './world.ts';

/** What programs are called with from here on, each call a line that begins with the program's name. */
export function recordCalls(t: TestContext, world: World, programs: readonly string[]) {
  const bin = world.local('bin');
  const log = world.local('calls');
  const { PATH: before = '' } = process.env;
  mkdirSync(bin);
  writeFileSync(log, '');
  for (const name of programs) {
    const real = before
      .split(delimiter)
      .map((directory) => join(directory, name))
      .find((path) => existsSync(path));
    const script = `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>'${log}'\nexec '${real}' "$@"\n`;
    writeFileSync(join(bin, name), script, { mode: 0o755 });
  }
  putAhead(t, bin);
  return {
    all: () => readFileSync(log, 'utf8').split('\n').slice(0, -1),
    forget: () => writeFileSync(log, ''),
  };
}
