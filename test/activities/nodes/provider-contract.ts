import assert from 'node:assert/strict';
import { link, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test';
import type { Lease, Machine, MachineNeed, Provider } from '../../../activities/nodes/port.ts';
import { RefusedContent } from '../../../activities/nodes/refused-content.ts';
import { takeLive } from '../../../activities/nodes/take-live.ts';

/** A provider, and a need that it can meet: a POSIX system, where root may make devices if the provider lets it. */
export interface Subject {
  readonly open: (installation?: { readonly id: string; readonly data: string }) => Promise<Provider>;
  /** Takes the mark of an installation away, where there is one. */
  readonly forget?: (installation: string) => Promise<unknown>;
  readonly need: MachineNeed;
  /** Its machines have a network of their own, and what asks for another is refused. */
  readonly keepsNetwork?: true;
}

let signal: AbortSignal;
// For each test anew: what is prepared first may take as long.
beforeEach(() => {
  signal = AbortSignal.timeout(600_000);
});
/** A user that every system has, for what runs without privileges. */
const stranger = 'nobody';

/** What every provider of machines owes its callers, whatever the programs inside do. */
export function providerContract(name: string, subject: Subject): void {
  lendingContract(name, subject);
  takingContract(name, subject);
}

/** Whether a program can reach out, by the machine's own table of routes. */
async function reachesOut(machine: Machine): Promise<boolean> {
  const { output } = await machine.exec(['cat', '/proc/net/route'], { signal });
  return /^\S+\s+0{8}\s+(?!0{8})/m.test(output);
}

function lendingContract(name: string, subject: Subject): void {
  const { open, forget, need, keepsNetwork } = subject;
  describe(`how ${name} lends machines`, () => {
    const shut = { ...need, network: 'shut' } as const;
    let provider: Provider;
    let builds = 0;
    const lend = async (t: TestContext) => {
      builds += 1;
      const build = `test-lending-${process.pid}-${builds}`;
      t.after(() => provider.sweep(build));
      return { build, lease: await provider.lend({ build }) };
    };
    const isThere = (machine: Machine) =>
      machine.exec(['true'], { signal }).then(
        ({ code }) => code === 0,
        () => false,
      );

    const restart = () => {
      test('a machine that is restarted has its disk and its way out, and none of its programs', async (t) => {
        const { lease } = await lend(t);
        const machine = await lease.machine({ ...need, network: 'open' });
        const run = (script: string) => machine.exec(['sh', '-c', script], { signal });
        await run('echo kept > /var/kept; (sleep 4321 > /dev/null 2>&1 &)');
        const out = await reachesOut(machine);
        await machine.restart(signal);
        const { output } = await run(
          'cat /var/kept; cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -o "sleep 432[1]" || echo none',
        );
        assert.deepEqual(output.trim().split('\n'), ['kept', 'none']);
        assert.equal(await reachesOut(machine), out);
        if (keepsNetwork) return;
        await machine.close();
        await machine.restart(signal);
        assert.equal(await reachesOut(machine), false);
      });
    };
    restart();

    const networkGiven = () => {
      test('a machine reaches out when it is let, and no longer', async (t) => {
        const { lease } = await lend(t);
        const machine = await lease.machine(shut);
        assert.equal(await reachesOut(machine), false);
        await machine.open();
        assert.equal(await reachesOut(machine), true);
        await machine.close();
        assert.equal(await reachesOut(machine), false);
        assert.equal(await reachesOut(await lease.machine({ ...need, network: 'none' })), false);
      });

      test('secluded machines know each other by name, and are in no other network', async (t) => {
        const { lease } = await lend(t);
        const start = (each: string) => lease.machine({ ...need, name: each, network: 'open' });
        const machines = await Promise.all(['alpha', 'beta'].map(start));
        await Promise.all([lease.seclude(signal), lease.seclude(signal)]);
        for (const [index, machine] of machines.entries()) {
          const found = await machine.exec(['getent', 'hosts', index === 0 ? 'beta' : 'alpha'], { signal });
          assert.equal(found.code, 0, found.output);
          const { output } = await machine.exec(['hostname', '-I'], { signal });
          assert.equal(output.trim().split(/\s+/).length, 1, output);
        }
      });
    };

    test('machines that are introduced know each other by name, and reach out as before', async (t) => {
      const { lease } = await lend(t);
      const start = (each: string) => lease.machine({ ...need, name: each, network: 'open' });
      const machines = await Promise.all(['alpha', 'beta'].map(start));
      const addresses = await lease.introduce(signal);
      assert.deepEqual(Object.keys(addresses).sort(), ['alpha', 'beta']);
      assert.deepEqual(await lease.introduce(signal), addresses);
      for (const [index, machine] of machines.entries()) {
        const other = index === 0 ? 'beta' : 'alpha';
        const { output } = await machine.exec(['getent', 'hosts', other], { signal });
        assert.ok(output.startsWith(`${addresses[other]} `), output);
        assert.equal(await reachesOut(machine), true);
      }
    });

    test('a program reads what comes while it runs', async (t) => {
      const { lease } = await lend(t);
      const machine = await lease.machine(need);
      const input = new PassThrough();
      let said = '';
      const write = (text: string) => {
        said += text;
        if (said === 'begins\n') input.end('word\n');
      };
      const { code } = await machine.exec(['sh', '-c', 'echo begins; cat; echo ends'], {
        input,
        log: { write },
        signal,
      });
      assert.deepEqual([code, said], [0, 'begins\nword\nends\n']);
    });

    const networkKept = () => {
      test('I10: what asks for a network of its own is refused by name', async (t) => {
        const { lease } = await lend(t);
        for (const network of ['shut', 'none'] as const) {
          await assert.rejects(lease.machine({ ...need, network }), /is not taken away/);
        }
        const machine = await lease.machine(need);
        assert.equal(machine.network, 'its own');
        await machine.open();
        assert.equal(await reachesOut(machine), true);
        await assert.rejects(machine.close(), /is not taken away/);
        await assert.rejects(lease.seclude(signal), /is not taken away/);
      });
    };

    before(async () => {
      provider = await open();
    });

    test('a machine that is renewed is another one, as that was when it was lent', async (t) => {
      const { lease } = await lend(t);
      const first = await lease.machine(need);
      await first.exec(['sh', '-c', 'echo changed > /etc/changed'], { signal });
      const second = (await lease.renew?.(need.name)) ?? null;
      if (keepsNetwork) {
        assert.equal(second, null, 'there is no other');
        return;
      }
      assert.ok(second);
      assert.equal((await second.exec(['test', '-e', '/etc/changed'], { signal })).code, 1);
      assert.equal(await reachesOut(second), need.network === 'open');
      assert.equal(await isThere(first), false);
      await assert.rejects(async () => lease.renew?.('nobody'), /no machine nobody/);
      await provider.release(lease);
      assert.equal(await isThere(second), false);
    });

    test('what is released is gone, and releasing it again is harmless', async (t) => {
      const { build, lease } = await lend(t);
      const machines = await Promise.all(['a', 'b'].map((each) => lease.machine({ ...need, name: each })));
      assert.deepEqual(await Promise.all(machines.map(isThere)), [true, true]);
      await provider.release(lease);
      await provider.release(lease);
      assert.deepEqual(await Promise.all(machines.map(isThere)), [false, false]);
      assert.equal(await (await provider.lend({ build })).find(), null);
    });

    test('I10: what is held stays for people by a command, until it is swept', async (t) => {
      const { build, lease } = await lend(t);
      const machine = await lease.machine(need);
      assert.ok(provider.hold, 'it can hold machines');
      const [held, ...others] = await provider.hold(lease);
      assert.deepEqual([held?.name, others], [need.name, []]);
      assert.match(held?.command ?? '', / /);
      const found = await provider.lend({ build });
      assert.equal(await isThere((await found.find()) ?? machine), true);
      await provider.sweep(build);
      assert.equal(await isThere(machine), false);
      assert.deepEqual(await provider.hold(await provider.lend({ build })), []);
    });

    test('what is still in the making is released as well, and what cannot be made takes nothing else with it', async (t) => {
      const { build, lease } = await lend(t);
      const platform = { ...need.platform, testImage: 'sluice/none:none', buildImage: 'sluice/none:none' };
      const good = lease.machine(need);
      const bad = assert.rejects(lease.machine({ ...need, platform }));
      await provider.release(lease);
      await bad;
      assert.equal(await isThere(await good), false);
      assert.equal(await (await provider.lend({ build })).find(), null);
    });

    test('a machine that is kept is found by the next lease of its build, and goes with that', async (t) => {
      const { build, lease } = await lend(t);
      const machine = await lease.machine(need);
      await machine.exec(['sh', '-c', 'echo kept > /tmp/kept'], { signal });
      const next = await provider.lend({ build });
      const found = await next.find();
      assert.equal((await found?.exec(['cat', '/tmp/kept'], { signal }))?.output, 'kept\n');
      await provider.release(next);
      assert.equal(await isThere(machine), false);
      assert.equal(await next.find(), null);
    });

    test('sweeping removes what is left of a build, and only that', async (t) => {
      const [left, other] = [await lend(t), await lend(t)];
      const [machine, stays] = [await left.lease.machine(need), await other.lease.machine(need)];
      await provider.sweep(left.build);
      await provider.sweep(left.build);
      assert.equal(await isThere(machine), false);
      assert.equal(await isThere(stays), true);
      await assert.rejects(provider.sweep('x y'), /letters, digits/);
    });

    test('R7: what is made for an installation is listed with its holder, until it is gone', async (t) => {
      const id = `listed-${process.pid}`;
      const own = await open({ id, data: '/nowhere' });
      t.after(() => forget?.(id));
      const builds = ['a', 'b'].map((each) => `test-listed-${each}-${process.pid}`);
      t.after(() => Promise.all(builds.map((build) => own.sweep(build))));
      const holder = 'job/main/check/tinycdb/git:1,1/build/1';
      const lease = await own.lend({ build: builds[0] ?? '', holder });
      await Promise.all(['x', 'y'].map((each) => lease.machine({ ...need, name: each, network: 'open' })));
      await (await own.lend({ build: builds[1] ?? '' })).machine(need);
      await (await lend(t)).lease.machine(need);
      const listed = async (of: Provider) => [...(await of.list())].sort((a, b) => (a.build < b.build ? -1 : 1));
      assert.deepEqual(await listed(own), [{ build: builds[0], holder }, { build: builds[1] }]);
      assert.deepEqual(await listed(provider), [], 'what is made by hand is for no installation');
      await own.release(lease);
      await own.sweep(builds[1] ?? '');
      assert.deepEqual(await listed(own), []);
    });

    if (keepsNetwork) networkKept();
    else networkGiven();

    test('it says from what a machine was made', async (t) => {
      const { lease } = await lend(t);
      const origins = [await lease.machine(need), await lease.machine({ ...need, name: 'other' })].map((machine) =>
        machine.origin(),
      );
      const [first, second] = await Promise.all(origins);
      assert.match(first ?? '', /\S/);
      assert.equal(first, second);
    });
  });
}

function takingContract(name: string, { open, need }: Subject): void {
  describe(`what ${name} takes out of a machine`, () => {
    let provider: Provider;
    let lease: Lease;
    let machine: Machine;
    let host: string;

    before(async () => {
      host = await mkdtemp(join(tmpdir(), 'sluice-contract-'));
      provider = await open();
      lease = await provider.lend({ build: `test-taking-${process.pid}` });
      machine = await lease.machine(need);
    });
    after(async () => {
      await provider.release(lease);
      await rm(host, { recursive: true });
    });

    const inside = async (script: string, user = 'root') => {
      const { code, output } = await machine.exec(['sh', '-c', script], { signal, user });
      assert.equal(code, 0, output);
      return output;
    };
    const target = () => mkdtemp(join(host, 'out-'));

    test('R1: files and directories come out with their content, whatever their names', async () => {
      await inside(`mkdir -p /tmp/a/b; cd /tmp/a; printf one > '-rf'; printf two > 'b/new
line'; : > ..x; chmod 4755 b/*`);
      const to = await target();
      const copied = await machine.take('/tmp/a', to);
      assert.deepEqual(
        copied.map(({ path, size }) => `${path}:${size}`).sort(),
        ['a/-rf:3', 'a/..x:0', 'a/b/new\nline:3'].sort(),
      );
      assert.equal(await readFile(join(to, 'a/b/new\nline'), 'utf8'), 'two');
      assert.equal((await lstat(join(to, 'a/b/new\nline'))).mode & 0o7000, 0, 'no rights travel with a file');
    });

    test('files are read out while programs go on; links and pipes stay where they are', async () => {
      const script = `mkdir -p /tmp/live/d; cd /tmp/live; printf 'a\\0\\377b' > raw; ln raw again; ln -s /etc link; mkfifo pipe; mv again d
(sleep 4322 > /dev/null 2>&1 & echo $!)`;
      const program = (await inside(script)).trim();
      const to = await target();
      const limits = { files: 4, bytes: 8 };
      const files = await takeLive(machine, { from: '/tmp/live', to, limits, signal });
      assert.deepEqual(files.map(({ path, size }) => `${path}:${size}`).sort(), ['d/again:4', 'raw:4']);
      assert.deepEqual(await readFile(join(to, 'd/again')), Buffer.from([97, 0, 255, 98]));
      await inside(`kill -0 ${program}`);
      const over = takeLive(machine, {
        from: '/tmp/live',
        to: await target(),
        limits: { ...limits, files: 2 },
        signal,
      });
      await assert.rejects(over, RefusedContent);
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
      await machine.put(from, '/tmp/in');
      await machine.put(join(from, 'source', 'debian', 'changelog'), '/tmp/in');
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

    test('P5: links go in as they are, wherever they lead, and names as bytes', async () => {
      const from = await target();
      await mkdir(join(from, 'odd'));
      await symlink('../../../../etc/passwd', join(from, 'odd', 'out'));
      await symlink('/etc/passwd', join(from, 'odd', 'whole'));
      await writeFile(join(from, 'odd', '.x,&y\nz'), '');
      await link(join(from, 'odd', '.x,&y\nz'), join(from, 'odd', 'twin'));
      await writeFile(Buffer.concat([Buffer.from(`${from}/caf`), Buffer.of(0xe9)]), '');
      await inside("mkdir -p '/tmp/links,&'; chown nobody: '/tmp/links,&'");
      await machine.put(from, '/tmp/links,&');
      const found = await inside(
        "cd '/tmp/links,&'; stat -c %U .; readlink odd/*; stat -c %h odd/twin; ls -b . odd/.x*",
      );
      assert.deepEqual(found.trim().split('\n'), [
        'nobody',
        '../../../../etc/passwd',
        '/etc/passwd',
        '2',
        'odd/.x,&y\\nz',
        '',
        '.:',
        'caf\\351',
        'odd',
      ]);
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
        await assert.rejects(machine.take('/tmp/u', to), (error: Error) => {
          assert.ok(error instanceof RefusedContent, String(error));
          assert.match(error.message, reason);
          return true;
        });
        assert.deepEqual(await filesBelow(to), []);
      });
    }

    test('R1: a device cannot be made, or is refused', async () => {
      const made = await machine.exec(['sh', '-c', 'rm -rf /tmp/d; mkdir /tmp/d; mknod /tmp/d/x c 1 5'], { signal });
      if (made.code !== 0) return;
      await assert.rejects(machine.take('/tmp/d', await target()), /is a device/);
    });

    test('R1: a link is refused that is asked for itself', async () => {
      await inside('ln -sfn /etc /tmp/direct');
      await assert.rejects(machine.take('/tmp/direct', await target()), RefusedContent);
    });

    test('R1: what a program still writes to is ended first, and comes out whole', async () => {
      await inside('rm -rf /tmp/g; mkdir -m 777 /tmp/g');
      await inside(
        'setsid sh -c "while :; do head -c 65536 /dev/zero >> /tmp/g/file; done" >/dev/null 2>&1 &',
        stranger,
      );
      await inside('until [ -s /tmp/g/file ]; do :; done');
      const [copied] = await machine.take('/tmp/g', await target());
      const size = await inside('stat -c %s /tmp/g/file');
      assert.equal(String(copied?.size), size.trim(), 'it has stopped growing');
    });

    test('R1: nothing of anybody runs after the machine was told to be quiet', async () => {
      await inside('trap "" TERM HUP; for i in 1 2 3 4 5; do setsid sleep 999 >/dev/null 2>&1 & done', stranger);
      await inside('setsid sleep 998 >/dev/null 2>&1 &');
      await machine.quiet();
      const left = await inside('for p in /proc/[0-9]*/cmdline; do tr "\\0" " " < $p; done 2>/dev/null; true');
      assert.doesNotMatch(left, /sleep 99/);
    });

    test('R1: a program that forks for ever is ended too', async () => {
      // Bounded by the machine's own limit of processes.
      await inside('setsid sh -c "f() { f & f & sleep 1; f; }; f" >/dev/null 2>&1 &', stranger);
      await machine.quiet();
      await inside('true');
    });

    test('R1: more files than the limit are refused', async () => {
      await inside('rm -rf /tmp/many; mkdir /tmp/many; cd /tmp/many; seq 500 | xargs touch');
      const to = await target();
      const limits = { files: 400, bytes: 1024 * 1024 };
      await assert.rejects(machine.take('/tmp/many', to, limits), /there are more than 400 files/);
      assert.deepEqual(await filesBelow(to), []);
      assert.equal((await machine.take('/tmp/many', to, { ...limits, files: 501 })).length, 500);
    });

    test('R1: more bytes than the limit are refused before they are written', async () => {
      await inside('rm -rf /tmp/big; mkdir /tmp/big; truncate -s 1T /tmp/big/sparse || truncate -s 1G /tmp/big/sparse');
      const to = await target();
      const limits = { files: 10, bytes: 1024 * 1024 };
      await assert.rejects(machine.take('/tmp/big', to, limits), /the files have more than 1048576 bytes/);
      assert.deepEqual(await filesBelow(to), []);
    });

    test('R1: a file that is there already, or a link in its place, is never written to', async () => {
      await inside('rm -rf /tmp/s; mkdir /tmp/s; echo theirs > /tmp/s/canary');
      const to = await target();
      await mkdir(join(to, 's'));
      await writeFile(join(to, 's', 'canary'), 'ours');
      await assert.rejects(machine.take('/tmp/s', to), /is there twice/);
      assert.equal(await readFile(join(to, 's', 'canary'), 'utf8').catch(() => 'gone'), 'ours');
    });
  });
}

async function filesBelow(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found.filter((each) => !each.isDirectory()).map(({ name }) => name);
}
