import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RefusedContent } from '../../../activities/nodes/refused-content.ts';
import type { Container } from '../../../activities/ports.ts';

/** One container of a provider, with a POSIX system in it, where root may make devices if the provider lets it. */
export interface Subject {
  readonly start: () => Promise<Container>;
}

const signal = AbortSignal.timeout(600_000);
/** A user that every system has, for what runs without privileges. */
const stranger = 'nobody';

/** What every provider of containers owes its callers, whatever the programs inside do. */
export function providerContract(name: string, { start }: Subject): void {
  describe(`what ${name} takes out of a container`, () => {
    let container: Container;
    let host: string;

    before(async () => {
      host = await mkdtemp(join(tmpdir(), 'sluice-contract-'));
      container = await start();
    });
    after(async () => {
      await container?.remove();
      await rm(host, { recursive: true });
    });

    const inside = async (script: string, user = 'root') => {
      const { code, output } = await container.exec(['sh', '-c', script], { signal, user });
      assert.equal(code, 0, output);
      return output;
    };
    const target = () => mkdtemp(join(host, 'out-'));

    test('R1: files and directories come out with their content, whatever their names', async () => {
      await inside(`mkdir -p /tmp/a/b; cd /tmp/a; printf one > '-rf'; printf two > 'b/new
line'; : > ..x; chmod 4755 b/*`);
      const to = await target();
      const copied = await container.copyOut('/tmp/a', to);
      assert.deepEqual(
        copied.map(({ path, size }) => `${path}:${size}`).sort(),
        ['a/-rf:3', 'a/..x:0', 'a/b/new\nline:3'].sort(),
      );
      assert.equal(await readFile(join(to, 'a/b/new\nline'), 'utf8'), 'two');
      assert.equal((await lstat(join(to, 'a/b/new\nline'))).mode & 0o7000, 0, 'no rights travel with a file');
    });

    test('P10: what goes in belongs to root and is for everybody to read, whatever the umask outside', async () => {
      const from = await target();
      const umask = process.umask(0o077);
      try {
        await mkdir(join(from, 'source', 'debian'), { recursive: true });
        await writeFile(join(from, 'source', 'debian', 'changelog'), 'text');
        await writeFile(join(from, 'source', 'debian', 'rules'), '#!/bin/sh\necho rules\n', { mode: 0o700 });
        await symlink('changelog', join(from, 'source', 'debian', 'NEWS'));
      } finally {
        process.umask(umask);
      }
      await inside('mkdir -p /tmp/in');
      await container.copyIn(from, '/tmp/in');
      await container.copyIn(join(from, 'source', 'debian', 'changelog'), '/tmp/in');
      const modes = await inside("cd /tmp/in; stat -c '%a %U:%G %n' changelog source source/debian source/debian/*");
      assert.deepEqual(modes.trim().split('\n'), [
        '644 root:root changelog',
        '755 root:root source',
        '755 root:root source/debian',
        '777 root:root source/debian/NEWS',
        '644 root:root source/debian/changelog',
        '755 root:root source/debian/rules',
      ]);
      const script = 'cd /tmp/in/source/debian; cat changelog; ./rules';
      assert.equal(await inside(script, 'nobody'), 'textrules\n');
    });

    const unwelcome: readonly (readonly [string, string, RegExp])[] = [
      ['a link', 'ln -s /etc/passwd x', /"u\/x" is a symbolic link/],
      ['a link to a directory', 'ln -s / x', /is a symbolic link/],
      ['a link that leads nowhere', 'ln -s /nowhere x', /is a symbolic link/],
      ['a hard link', 'echo > x; ln x y', /is a hard link/],
      ['a named pipe', 'mkfifo x', /is a named pipe/],
    ];
    for (const [what, script, reason] of unwelcome) {
      test(`R1: ${what} is refused, and nothing of the transfer stays`, async () => {
        await inside(`rm -rf /tmp/u; mkdir /tmp/u; cd /tmp/u; echo good > a-first; ${script}`);
        const to = await target();
        await assert.rejects(container.copyOut('/tmp/u', to), (error: Error) => {
          assert.ok(error instanceof RefusedContent, String(error));
          assert.match(error.message, reason);
          return true;
        });
        assert.deepEqual(await filesBelow(to), []);
      });
    }

    test('R1: a device cannot be made, or is refused', async () => {
      const made = await container.exec(['sh', '-c', 'rm -rf /tmp/d; mkdir /tmp/d; mknod /tmp/d/x c 1 5'], { signal });
      if (made.code !== 0) return;
      await assert.rejects(container.copyOut('/tmp/d', await target()), /is a device/);
    });

    test('R1: a link is refused that is asked for itself', async () => {
      await inside('ln -sfn /etc /tmp/direct');
      await assert.rejects(container.copyOut('/tmp/direct', await target()), RefusedContent);
    });

    test('R1: what a program still writes to is ended first, and comes out whole', async () => {
      await inside('rm -rf /tmp/g; mkdir -m 777 /tmp/g');
      await inside(
        'setsid sh -c "while :; do head -c 65536 /dev/zero >> /tmp/g/file; done" >/dev/null 2>&1 &',
        stranger,
      );
      await inside('until [ -s /tmp/g/file ]; do :; done');
      const [copied] = await container.copyOut('/tmp/g', await target());
      const size = await inside('stat -c %s /tmp/g/file');
      assert.equal(String(copied?.size), size.trim(), 'it has stopped growing');
    });

    test('R1: nothing of anybody runs after the container was told to be quiet', async () => {
      await inside('trap "" TERM HUP; for i in 1 2 3 4 5; do setsid sleep 999 >/dev/null 2>&1 & done', stranger);
      await inside('setsid sleep 998 >/dev/null 2>&1 &');
      await container.quiet();
      const left = await inside('for p in /proc/[0-9]*/cmdline; do tr "\\0" " " < $p; done 2>/dev/null; true');
      assert.doesNotMatch(left, /sleep 99/);
    });

    test('R1: a program that forks for ever is ended too', async () => {
      // Bounded by the container's own limit of processes.
      await inside('setsid sh -c "f() { f & f & sleep 1; f; }; f" >/dev/null 2>&1 &', stranger);
      await container.quiet();
      await inside('true');
    });

    test('R1: more files than the limit are refused', async () => {
      await inside('rm -rf /tmp/many; mkdir /tmp/many; cd /tmp/many; seq 500 | xargs touch');
      const to = await target();
      const limits = { files: 400, bytes: 1024 * 1024 };
      await assert.rejects(container.copyOut('/tmp/many', to, limits), /there are more than 400 files/);
      assert.deepEqual(await filesBelow(to), []);
      assert.equal((await container.copyOut('/tmp/many', to, { ...limits, files: 501 })).length, 500);
    });

    test('R1: more bytes than the limit are refused before they are written', async () => {
      await inside('rm -rf /tmp/big; mkdir /tmp/big; truncate -s 1T /tmp/big/sparse || truncate -s 1G /tmp/big/sparse');
      const to = await target();
      const limits = { files: 10, bytes: 1024 * 1024 };
      await assert.rejects(container.copyOut('/tmp/big', to, limits), /the files have more than 1048576 bytes/);
      assert.deepEqual(await filesBelow(to), []);
    });

    test('R1: a file that is there already, or a link in its place, is never written to', async () => {
      await inside('rm -rf /tmp/s; mkdir /tmp/s; echo theirs > /tmp/s/canary');
      const to = await target();
      await mkdir(join(to, 's'));
      await writeFile(join(to, 's', 'canary'), 'ours');
      await assert.rejects(container.copyOut('/tmp/s', to), /is there twice/);
      assert.equal(await readFile(join(to, 's', 'canary'), 'utf8').catch(() => 'gone'), 'ours');
    });
  });
}

async function filesBelow(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found.filter((each) => !each.isDirectory()).map(({ name }) => name);
}
