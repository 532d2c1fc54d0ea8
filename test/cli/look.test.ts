import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFileLogStore } from '../../activities/storage/filesystem/log-store.ts';
import { buildLayout, defaultTenant, parseConfigFile } from '../../pipelines/language/language.ts';
import { aBuild, aBuildSet, aJob, aMirror, anItem, aQueue, aRelease } from '../server/records.ts';
import { startServer, type TestServer } from '../server/server.ts';
import { runAt, startAt } from './run.ts';

const tenant = { ...defaultTenant, name: 'main' };
const files = [
  '- job: {name: base, parent: null}\n- job: {name: unit, run: unit.sh}\n- project: {name: app, check: {jobs: [unit]}}\n- pipeline: {name: check, manager: independent}\n',
  '- job: {name: later, run: x, ansible-version: 8}\n',
];

/** A server whose configuration has one project, one job, and a fault. */
function configured() {
  const source = { name: 'app', connection: 'git', trusted: true, branches: ['master'], defaultBranch: 'master' };
  const parsed = files.map((text, at) =>
    parseConfigFile({ project: 'app', branch: 'master', path: `${at}.yaml`, text, trusted: true }),
  );
  return buildLayout({ tenant, projects: [source], files: parsed });
}

let server: TestServer;
before(async () => {
  server = await startServer({ layout: async () => configured() });
  await writeFile(join(server.data, 'sluice.yaml'), 'data: .\n');
  const jobs = [
    aJob({ result: 'FAILURE', startTime: 1_000, endTime: 3_500, attempt: 2, summary: 'no such header' }),
    aJob({ key: 'lint', name: 'deb-lint', voting: false, waiting: ['waits for deb-build'] }),
  ];
  await server.report.projectQueue(aQueue({ items: [anItem({ state: 'failing', reason: 'deb-build failed', jobs })] }));
  await server.report.projectQueue(aQueue({ pipeline: 'check', queue: 'mbw', workflow: 'gate/main/check/mbw' }));
  await server.report.recordBuild(aBuild({ summary: 'built tinycdb 0.81-1', alone: true, attempt: 3 }));
  await server.report.recordBuildSet(aBuildSet());
});
after(() => server.stop());

const run = (args: readonly string[], env: Record<string, string> = {}) => runAt(server, args, { env });

describe('looking from the command line', () => {
  it('draws the queues as a tree', async () => {
    const { stdout, code } = await run(['status']);
    assert.equal(code, 0);
    const lines = stdout
      .replace(/failing, .*/, 'failing')
      .trimEnd()
      .split('\n');
    assert.deepEqual(lines, [
      'check  empty',
      'gate',
      '└─ packages  window 20',
      '   └─ tinycdb I1,1 Fix a leak  failing',
      '        deb-build failed',
      '      ├─ ✕ deb-build ×2  2.5 s  no such header',
      '      └─ ○ deb-lint (non-voting)  waits for deb-build',
    ]);
  });

  it('prints one JSON document of what the API answers', async () => {
    const { stdout } = await run(['status', '--json']);
    assert.deepEqual(JSON.parse(stdout).queues.length, 2);
    assert.equal(JSON.parse((await run(['buildsets', '--json'])).stdout)[0].result, 'SUCCESS');
  });

  it('lists builds and build sets', async () => {
    assert.match(
      (await run(['builds'])).stdout,
      /b1 .*tinycdb .*I1,1 .*deb-build ×3 \(alone\) .*SUCCESS .*1\.0 s .*built/,
    );
    assert.equal((await run(['builds', '--job', 'deb-build', '--result', 'FAILURE', '--json'])).stdout, '[]\n');
    assert.match((await run(['buildsets'])).stdout, /gate-1\.1 .*packages .*tinycdb .*SUCCESS/);
    assert.equal((await run(['builds', '--limit', 'many'])).code, 2);
  });

  it('names what there is where a list is narrowed by a name that nothing has', async () => {
    for (const [option, name, there] of [
      ['--pipeline', 'nix', 'there is no pipeline nix; there are: check'],
      ['--project', 'nix', 'there is no project nix; there are: app'],
      ['--result', 'nix', 'there is no result nix; there are: ABORTED, '],
    ] as const) {
      for (const command of ['builds', 'buildsets']) {
        const { code, stderr } = await run([command, option, name]);
        assert.equal(code, option === '--result' ? 2 : 1);
        assert.ok(stderr.includes(there), stderr);
      }
    }
    // A change may bring a job that nobody has heard of.
    assert.deepEqual(JSON.parse((await run(['builds', '--job', 'nix', '--json'])).stdout), []);
  });

  it('F6: says when a list goes on, and takes as many as are asked for, page by page', async () => {
    for (let at = 0; at < 600; at += 1) {
      await server.report.recordBuild(aBuild({ id: `many-${at}`, job: 'many', pipeline: 'long', startTime: 500 - at }));
    }
    const { stdout, stderr } = await run(['builds', '--job', 'many']);
    assert.equal(stdout.trimEnd().split('\n').length, 21);
    assert.match(stderr, /These are the newest 20: --limit 100 shows more\./);
    const all = await run(['builds', '--job', 'many', '--limit', '1000', '--json']);
    assert.equal(JSON.parse(all.stdout).length, 600);
    assert.equal(all.stderr, '');
  });

  it('F6: lists releases and the transactions of mirrors', async () => {
    const one = { startTime: 1_000, endTime: 3_500 };
    await server.store.saveRelease(aRelease({ ...one, project: 'app' }));
    await server.store.saveMirror(
      aMirror({ ...one, result: { did: 'rolled-back', hosts: { m1: { outcome: 'ok' } } } }),
    );
    assert.match(
      (await run(['releases'])).stdout,
      /app +I1,1 +published +promoted +deb +2\.5 s +tinycdb 0\.81-1 published/,
    );
    assert.match((await run(['mirror', 'history', 'deb'])).stdout, /deb +rollback +committed .*2\.5 s +m1 ok/);
    const hosts = { m2: { outcome: 'failed', error: { code: 'space', message: 'the disk is full' } } };
    await server.store.saveMirror(aMirror({ id: 'mirror/deb/2', outcome: 'failed', result: { hosts } }));
    assert.match((await run(['mirror', 'history', 'deb'])).stdout, /failed .*m2 failed +m2: the disk is full\n/);
    const { code, stderr } = await run(['mirror', 'history', 'nosuch']);
    assert.equal(code, 1);
    assert.match(stderr, /there is no set of mirrors nosuch; there are: deb/);
  });

  it('F2: lists the builds of one build set by the id that the lists show, and knows which there are', async () => {
    const { key } = aBuildSet();
    const [build] = JSON.parse((await run(['builds', '--buildset', key, '--json'])).stdout);
    assert.equal(build.buildSet, key);
    assert.match(
      (await run(['builds', '--buildset', key])).stdout,
      new RegExp(`BUILDSET[^]* ${key.replace('.', '[.]')} `),
    );
    assert.equal(JSON.parse((await run(['buildsets', '--buildset', key, '--json'])).stdout)[0].key, key);
    for (const command of ['builds', 'buildsets']) {
      const { code, stderr } = await run([command, '--buildset', 'gate-9.9']);
      assert.equal(code, 1);
      assert.match(stderr, /there is no build set gate-9\.9: see 'sluice buildsets'/);
    }
  });

  it('F2: lists the build of a build set that has no record of its own', async () => {
    await server.store.saveBuild(aBuild({ id: 'b-60', buildSet: 'bs-60', startTime: 500 }));
    assert.match((await run(['builds', '--buildset', 'bs-60'])).stdout, /^b-60 .* bs-60 /m);
    assert.equal((await run(['buildsets', '--buildset', 'bs-60'])).code, 1);
  });

  it('F14: with --json times are in ISO 8601, and errors are one document on standard error', async () => {
    const [set] = JSON.parse((await run(['buildsets', '--json'])).stdout);
    assert.deepEqual([set.startTime, set.endTime], ['1970-01-01T00:00:01.000Z', '1970-01-01T00:00:09.000Z']);
    for (const [args, status, says] of [
      [['builds', '--change', 'nosuch', '--json'], 1, /there is no change/],
      [['builds', '--limit', 'many', '--json'], 2, /number from 1 to 1000000/],
      [['dequeue', '--change', 'I1', '--json'], 2, /--pipeline/],
    ] as const) {
      const { code, stdout, stderr } = await run([...args]);
      const answer = JSON.parse(stderr);
      assert.deepEqual([code, answer.status, stdout], [status, status, '']);
      assert.match(answer.error, says);
    }
  });

  it('F12: watch --json says at once how things stand', async () => {
    const child = startAt(server, ['watch', '--json']);
    const [text] = await once(child.stdout, 'data');
    assert.match(String(text), /^\{"type":"status","data":\{/);
    child.kill();
    await once(child, 'close');
  });

  it('B2: a configuration that cannot be used keeps nobody from a server that is named', async () => {
    const broken = join(server.data, 'broken.yaml');
    await writeFile(broken, 'data: .\nbogus: 1\n');
    const seen = await run(['status', '--config', broken]);
    assert.deepEqual([seen.code, seen.stdout === (await run(['status'])).stdout], [0, true]);
    assert.match(seen.stderr, /^warning: .*broken\.yaml:2:1: "bogus" is not a known key \(what runs goes on/);
    const mixed = join(server.data, 'mixed.yaml');
    await writeFile(mixed, 'platforms: {vm: {provider: vm, format: deb, codename: bookworm, buildImage: a}}\n');
    assert.match((await run(['status', '--config', mixed])).stderr, /^warning: .* is made of 'codename' \(what runs/m);
    const acted = await run(['retrigger', 'deb-build', '--change', 'I1', '--config', broken]);
    assert.doesNotMatch(acted.stderr, /token/, 'the data directory is the one that the file names');
    const alone = await run(['status', '--config', broken], { SLUICE_SERVER: '' });
    assert.deepEqual([alone.code, alone.stdout], [2, '']);
  });

  it('says that a server is being started again where its stack is there', async () => {
    const data = join(server.data, 'restarting');
    const url = 'http://127.0.0.1:9';
    await mkdir(data);
    const holder = { pid: process.pid, command: 'sluice up', stack: { url } };
    await writeFile(join(data, 'holder.json'), JSON.stringify(holder));
    const config = join(data, 'sluice.yaml');
    await writeFile(config, `data: ${data}\n`);
    const { code, stderr } = await run(['status', '--config', config], { SLUICE_SERVER: url });
    assert.equal(code, 3);
    assert.match(
      stderr,
      new RegExp(`no server answers.*"sluice up" \\(process ${process.pid}\\) is starting it again`),
    );
  });

  it('follows a log until the build ends', async () => {
    const logs = createFileLogStore({ root: join(server.data, 'storage'), baseUrl: server.url });
    await server.report.recordBuild(aBuild({ id: 'live', result: null, endTime: null }));
    const log = await logs.open('live', 'build.log');
    log.write('one\n');
    const following = startAt(server, ['logs', 'live', '--follow']);
    const ended = once(following, 'close');
    const [first] = await once(following.stdout, 'data');
    assert.equal(String(first), 'one\n');
    const rest = text(following.stdout);
    log.write('two\n');
    await log.close();
    await server.report.recordBuild(aBuild({ id: 'live' }));
    assert.deepEqual([await rest, (await ended)[0]], ['two\n', 0]);
  });

  it('follows an attempt that was given up into the next one, and says so', async () => {
    const logs = createFileLogStore({ root: join(server.data, 'storage'), baseUrl: server.url });
    const same = { job: 'shaky', buildSet: 'gate-7.7' };
    const one = aBuild({ ...same, id: 'shaky-1', result: null, endTime: null });
    await server.report.recordBuild(one);
    const log = await logs.open('shaky-1', 'build.log');
    log.write('one\n');
    const following = run(['logs', 'shaky-1', '--follow']);
    await log.close();
    await server.report.recordBuild({ ...one, result: 'RETRY', summary: 'the engine is away', endTime: 5_000 });
    await server.report.recordBuild(aBuild({ ...same, id: 'shaky-2', attempt: 2, startTime: 6_000 }));
    const again = await logs.open('shaky-2', 'build.log');
    again.write('two\n');
    await again.close();
    const stderr = 'attempt 1 is given up (the engine is away); this is attempt 2, build shaky-2:\n';
    assert.deepEqual(await following, { stdout: 'one\ntwo\n', stderr, code: 0 });
  });

  it('watches: a line for each thing that happens, where nobody sits at a terminal', async () => {
    const child = startAt(server, ['watch']);
    while (server.live.watchers < 2) await sleep(20);
    await server.report.recordBuild(aBuild({ id: 'b9', result: 'FAILURE', summary: 'no such header' }));
    const [line] = await once(child.stdout, 'data');
    assert.match(String(line), /^\d\d:\d\d:\d\d ✕ gate tinycdb I1 deb-build: no such header\n$/);
    child.kill();
    await once(child, 'close');
  });
});

describe('acting from the command line', () => {
  it('carries the token of the data directory', async () => {
    const { stdout, code } = await run(['retrigger', 'deb-build', '--change', 'I1']);
    assert.deepEqual([code, stdout], [0, 'deb-build runs again for I1\n']);
    assert.deepEqual(server.asked.at(-1), { what: 'retrigger', input: { change: 'I1', job: 'deb-build' } });
  });

  it('is in the audit log, which needs the token as well', async () => {
    await run(['promote', 'I1', '--pipeline', 'gate']);
    const { stdout, code } = await run(['audit', '--change', 'I1', '--operation', 'promote']);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^ASKED \(UTC\) +BY +VIA +OUTCOME +WHAT\n\d{4}-[\d: -]+ ada +token +done +promote I1 \(pipeline gate\)\n$/,
    );
    const [act] = JSON.parse((await run(['audit', '--limit', '1', '--json'])).stdout);
    assert.deepEqual([act.by.name, act.operation, act.outcome], ['ada', 'promote', 'done']);
    assert.match(act.time, /^\d{4}-\d\d-\d\dT/);
    assert.match((await run(['audit', '--by', 'nobody'])).stdout, /^Nobody has asked for such a thing\.\n$/);
    const stranger = await run(['audit'], { SLUICE_TOKEN: 'wrong' });
    assert.equal(stranger.code, 3);
    assert.match(stranger.stderr, /token/);
  });

  for (const { args, env, code, says } of [
    { args: ['dequeue', '--change', 'I1'], env: {}, code: 2, says: /--pipeline/ },
    { args: ['cancel', 'b1'], env: { SLUICE_TOKEN: 'wrong' }, code: 3, says: /token/ },
    { args: ['status'], env: { SLUICE_SERVER: 'http://127.0.0.1:9' }, code: 3, says: /no server answers.*sluice up/ },
    { args: ['status'], env: { SLUICE_SERVER: 'nonsense' }, code: 2, says: /not a URL/ },
    { args: ['logs', 'nothing'], env: {}, code: 1, says: /no build nothing/ },
  ]) {
    it(`ends with ${code} and says why: ${args.join(' ')} ${Object.keys(env).join()}`, async () => {
      const ended = await run(args, env as unknown as Record<string, string>);
      assert.equal(ended.code, code);
      assert.match(ended.stderr, says);
      assert.equal(ended.stdout, '');
    });
  }

  it('ends with 1 and the reason when the gate refuses', async () => {
    server.answer = { ok: false, reason: 'I1 is not in gate' };
    const { stderr, code } = await run(['dequeue', '--pipeline', 'gate', '--change', 'I1']);
    assert.equal(code, 1);
    assert.match(stderr, /I1 is not in gate/);
  });
});

describe('the configuration in force', () => {
  it('W7: config check --server says what the server found wrong with it', async () => {
    const { stdout, code } = await run(['config', 'check', '--server', server.url]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /app\/1\.yaml@master:1:\d+: warning: .*ansible-version is understood but not run yet.*\nThe configuration in force: 0 errors, \d+ warnings?\.\n$/,
    );
    const neither = await run(['config', 'check']);
    assert.deepEqual([neither.code, neither.stderr], [2, "error: missing required argument 'paths'\n"]);
    assert.equal((await run(['config', 'check', '--server', server.url, '.'])).code, 2);
  });

  it('W7: config freeze --server freezes as the server would', async () => {
    const words = ['config', 'freeze', '--server', server.url, '--pipeline', 'check'];
    const { stdout, code } = await run([...words, '--project', 'app']);
    assert.equal(code, 0, stdout);
    assert.deepEqual(
      JSON.parse(stdout).jobs.map(({ name }: { name: string }) => name),
      ['unit'],
    );
    const unknown = await run([...words, '--project', 'nosuch']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stdout, /project \\"nosuch\\" is not known to the server/);
    assert.equal(unknown.stderr, 'project "nosuch" is not known to the server; there are: app\n');
  });
});
