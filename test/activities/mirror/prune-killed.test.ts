import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { mirrorStatus } from '../../../activities/mirror/inspect.ts';
import { rollbackMirrors } from '../../../activities/mirror/rollback.ts';
import type { MirrorSet } from '../../../activities/mirror/types.ts';
import { verifyMirrors } from '../../../activities/mirror/verify.ts';
import { run } from '../../../activities/process/run.ts';
import { listFiles } from '../../../activities/repository/files.ts';
import { look, mirrorWorld, type World } from './world.ts';

/** Prunes with an rsync that removes so many entries and then kills whoever called it. */
async function pruneKilledAfter(world: World, set: MirrorSet, entries: number): Promise<void> {
  const bin = world.local(`bin-${entries}`);
  await mkdir(bin);
  const script = [
    '#!/bin/sh',
    'case " $* " in *" --delete "*) ;; *) exec /usr/bin/rsync "$@" ;; esac',
    `/usr/bin/rsync --max-delete=${entries} "$@"`,
    'kill -KILL $PPID',
    '',
  ];
  await writeFile(join(bin, 'rsync'), script.join('\n'), { mode: 0o755 });
  const args = [join(import.meta.dirname, 'prune-child.ts'), JSON.stringify(set), world.context.state];
  const { code } = await run(process.execPath, [...args, String(world.context.now())], {
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  assert.notEqual(code, 0, 'it was not killed');
}

for (const layout of ['snapshots', 'pool'] as const) {
  test(`who is killed while old snapshots go leaves no half of one, nor takes what is shown: ${layout}`, async (t) => {
    const world = await mirrorWorld(t);
    const daemon = await world.daemon('m2');
    const hosts = { m1: { url: world.local('m1') }, m2: { url: daemon.url } };
    const set = world.set({ layout, keep: 86_400, timeout: 60, hosts });
    const roots = [world.local('m1'), daemon.root];
    const publish = async (version: string) => {
      await world.publish('one', version);
      await world.publish('two', version);
      const { outcome, snapshot } = await world.sync(set);
      assert.equal(outcome, 'committed');
      return snapshot ?? '';
    };
    for (const entries of [1, 6]) {
      const [old, shown] = [await publish(`${entries}.1`), await publish(`${entries}.2`)];
      world.later(2 * 86_400);
      const whole = (await listFiles(join(roots[0] ?? '', 'snapshots', old))).length;
      await pruneKilledAfter(world, set, entries);
      const left = await Promise.all(roots.map((root) => listFiles(join(root, 'snapshots', old)).catch(() => [])));
      assert.ok(
        left.some((files) => files.length > 0 && files.length < whole),
        'none was left half',
      );
      const refused = await rollbackMirrors(set, world.context, { to: old });
      assert.equal(Object.values(refused.hosts)[0]?.error?.code, 'expired');
      const status = await mirrorStatus(set, world.context);
      for (const host of Object.values(status.hosts)) assert.deepEqual(host.snapshots, [shown]);
      for (const root of roots) {
        assert.deepEqual((await look(root)).snapshots, [shown]);
        assert.ok(!(await readdir(join(root, 'snapshots'))).some((name) => name.startsWith(old)));
      }
      assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
    }
  });
}
