import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { CancelledFailure } from '@temporalio/common';
import { createDockerEngine } from '../../../activities/nodes/docker/engine.ts';
import type { ScriptContext } from '../../../activities/script/context.ts';
import type { OutputStore } from '../../../activities/script/output.ts';
import { createScriptStage, type ScriptStage } from '../../../activities/script/script-stage.ts';
import { ensureImages } from '../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { Playbook } from '../../../pipelines/model/job.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import type { Programs, StageInput } from '../../../workflows/contract.ts';
import { leasing, stageContext, stageInput, temporaryStore } from '../install/stage.ts';
import { keptOutput } from './kept-output.ts';

const engine = createDockerEngine();

before(() => ensureImages(builtInPlatforms.slice(0, 1), () => {}));

/** For jobs that leave no files. */
const nowhere: OutputStore = { put: () => assert.fail('nothing is to be kept'), url: () => '' };

/** Programs by path; each is the body of a shell script. Paths of other projects begin with `PROJECT@BRANCH:`. */
type Files = Readonly<Record<string, string>>;

function stageOf(files: Files, store: OutputStore = nowhere, network: Platform['network'] = 'open') {
  const platform = builtInPlatforms.find(({ name }) => name === 'debian-12');
  assert.ok(platform);
  const stage = createScriptStage({
    platform: () => ({ ...platform, network, buildImage: 'sluice/debian-12:minimal' }),
    defaultLabel: 'debian-12',
    host: 'host-here',
    store,
    openSecrets: () => Promise.reject(new Error('no job here has secrets')),
    branchTip: async (_, branch) => (branch === 'main' ? '3'.repeat(40) : null),
    sources: async ({ project, branch, commit }, directory) => {
      const proposed = project === 'lib/alpha' && commit !== '3'.repeat(40);
      const prefix = proposed ? '' : `${project}@${branch}:`;
      for (const [name, body] of Object.entries(files)) {
        const path = name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
        if (path === undefined || path.includes(':')) continue;
        await mkdir(dirname(join(directory, path)), { recursive: true });
        await writeFile(join(directory, path), `#!/bin/sh -e\n${body}\n`);
        await chmod(join(directory, path), 0o755);
      }
    },
  });
  const resume: ScriptStage['resume'] = (input, context) =>
    leasing((_, given: ScriptContext) => stage.resume(input, given))(input.stage, context);
  return { run: leasing(stage.run), resume };
}

function program(path: string, more: Partial<Playbook> = {}): Playbook {
  const from = { project: 'lib/alpha', branch: 'main', trusted: false };
  return { path, ...from, cleanup: false, level: 0, semaphores: [], ...more };
}

function inputOf(programs: Partial<Programs>, more: Partial<StageInput> = {}): StageInput {
  const lists = { preRun: [], run: [], postRun: [], failureOutput: [], requiredProjects: [] };
  const nothing = { ...lists, preTimeout: null, postTimeout: null };
  return stageInput('deb', { stage: 'script', programs: { ...nothing, ...programs }, ...more });
}

interface Told extends ScriptContext {
  readonly said: () => string;
  readonly failed: string[];
}

async function contextOf(t: TestContext, signal?: AbortSignal): Promise<Told> {
  const context = await stageContext(t);
  const failed: string[] = [];
  return { ...context, ...(signal && { signal }), failed, failing: async (line) => void failed.push(line) };
}

test('programs run in order: before, run, after; each knows the job and its variables', async (t) => {
  const stage = stageOf({
    pre: 'echo pre >> ~/order',
    run: 'test "$SLUICE_JOB" = test; grep -q \'"flavour":"sweet"\' "$SLUICE_VARIABLES"; test -z "$SLUICE_SUCCESS"; echo run >> ~/order',
    post: 'echo "post $SLUICE_SUCCESS" >> ~/order; cat ~/order',
    'base/jobs@main:setup': 'echo setup >> ~/order',
    'base/jobs@main:teardown': 'echo teardown >> ~/order; cat ~/order; pwd',
  });
  const base = { project: 'base/jobs', trusted: true };
  const input = inputOf(
    {
      preRun: [program('setup', base), program('pre', { level: 1 })],
      run: [program('run', { level: 1 })],
      postRun: [program('post', { level: 1 }), program('teardown', base)],
    },
    { vars: { flavour: 'sweet' } },
  );
  const context = await contextOf(t);
  const result = await stage.run(input, context);
  assert.deepEqual(result, { result: 'SUCCESS', summary: 'run succeeded', artifacts: [] });
  assert.match(context.said(), /setup\npre\nrun\npost true\nteardown\n\/work\/lib\/alpha\n/);
  assert.equal(await engine.find(input.build.id), null, 'the container is removed');
});

test('a trusted program is run as it was merged, and where no other program can change it', async (t) => {
  const stage = stageOf({ run: 'echo proposed', 'lib/alpha@main:run': 'echo merged; ! touch "$(dirname "$0")/x"' });
  const context = await contextOf(t);
  const result = await stage.run(inputOf({ run: [program('run', { trusted: true })] }), context);
  assert.equal(result.result, 'SUCCESS', context.said());
  assert.match(context.said(), /merged\n/);
  assert.doesNotMatch(context.said(), /proposed/);
});

test('a program of a branch that is not there is said to be so', async (t) => {
  const context = await contextOf(t);
  const lost = await stageOf({}).run(inputOf({ run: [program('x', { project: 'lib/b', branch: 'old' })] }), context);
  assert.deepEqual([lost.result, lost.summary], ['ERROR', 'x is in lib/b, which has no branch old here']);
});

test('a required project is as the changes ahead make it, else as its branch is', async (t) => {
  const stage = stageOf({
    run: 'cat ../../other/ahead/one ../../other/plain/two; grep -o \'"other/plain":{[^}]*}\' "$SLUICE_VARIABLES"',
    'other/ahead@dev:one': 'echo made ahead',
    'other/plain@main:two': 'echo as it is',
  });
  const ahead = { project: 'other/ahead', branch: 'dev', commit: '4'.repeat(40), tree: '4'.repeat(40) };
  const requiredProjects = [{ project: 'other/ahead', overrideCheckout: 'dev' }, { project: 'other/plain' }];
  const input = inputOf({ run: [program('run')], requiredProjects });
  const context = await contextOf(t);
  const result = await stage.run({ ...input, sources: [...input.sources, ahead] }, context);
  assert.equal(result.result, 'SUCCESS', context.said());
  assert.match(context.said(), /made ahead\n.*as it is\n.*"branch":"main","commit":"3{40}"/s);
});

test('a required project that is not there is named', async (t) => {
  const requiredProjects = [{ project: 'other/lib', overrideCheckout: 'gone' }];
  const result = await stageOf({}).run(inputOf({ run: [program('x')], requiredProjects }), await contextOf(t));
  assert.equal(result.summary, 'the required project other/lib has no branch gone here');
  assert.equal(result.result, 'ERROR');
});

interface Row {
  readonly says: string;
  readonly files: Files;
  readonly programs: Partial<Programs>;
  readonly timeout?: number;
  readonly result: readonly [string, RegExp];
  readonly log?: RegExp;
}

const simple = { run: [program('run')], postRun: [program('post')] };
const rows: readonly Row[] = [
  {
    says: 'a failure before run is worth another attempt; what was not reached is not undone',
    files: { pre: 'echo no network; exit 3', undo: 'echo undone', deep: 'echo deeply undone' },
    programs: {
      preRun: [program('pre'), program('run', { level: 1 })],
      run: [program('run', { level: 1 })],
      postRun: [program('deep', { level: 1 }), program('undo')],
    },
    result: ['RETRY', /^pre ended with 3: no network$/],
    log: /^== pre-run pre\nno network\n== post-run undo\nundone\n$/,
  },
  {
    says: 'a program that is not there is an error that no other attempt mends',
    files: {},
    programs: { preRun: [program('absent')] },
    result: ['ERROR', /^absent is not in lib\/alpha$/],
  },
  {
    says: 'so is one that may not be executed',
    files: { pre: `echo > made` },
    programs: { preRun: [program('pre')], run: [program('made')] },
    result: ['ERROR', /^made is not executable: `git update-index --chmod=\+x made`$/],
  },
  {
    says: 'or that says by nothing what runs it',
    files: { pre: `echo echo > made; chmod +x made` },
    programs: { preRun: [program('pre')], run: [program('made')] },
    result: ['ERROR', /^made does not begin with `#!` and an interpreter$/],
  },
  {
    says: 'or by what is not there',
    files: { pre: `echo '#!/no/such -e' > made; chmod +x made` },
    programs: { preRun: [program('pre')], run: [program('made')] },
    result: ['ERROR', /^made begins with an interpreter that is not there: \/no\/such$/],
  },
  {
    says: 'a program that ends as if it could not be started has started',
    files: { run: 'no-such-command' },
    programs: { run: [program('run')] },
    result: ['FAILURE', /^run ended with 127: .*no-such-command/],
  },
  {
    says: 'unless it says that it is final',
    files: { pre: 'echo \'{"zuul": {"retry": false}}\' > $SLUICE_RETURN; exit 1', post: '' },
    programs: { preRun: [program('pre')], ...simple },
    result: ['FAILURE', /^pre ended with 1$/],
  },
  {
    says: 'a failure of run stands, and what comes after runs',
    files: { run: 'exit 1', post: 'echo "success: $SLUICE_SUCCESS"' },
    programs: simple,
    result: ['FAILURE', /^run ended with 1$/],
    log: /success: false/,
  },
  {
    says: 'a failure after run is one of its own',
    files: { run: '', post: 'exit 4' },
    programs: simple,
    result: ['POST_FAILURE', /^post ended with 4$/],
  },
  {
    says: 'it is told beside that of run, and the other programs run all the same',
    files: { run: 'exit 1', post: 'exit 4', last: 'echo last' },
    programs: { ...simple, postRun: [program('post'), program('last')] },
    result: ['POST_FAILURE', /^run ended with 1; post ended with 4$/],
    log: /\nlast\n/,
  },
  {
    says: 'a timeout covers what comes before, too, and is not hidden by what comes after',
    files: { pre: 'sleep 1', run: 'sleep 60', post: 'echo after; exit 1' },
    programs: { preRun: [program('pre')], ...simple },
    timeout: 6,
    result: ['TIMED_OUT', /^run was not done in time$/],
    log: /\nafter\n/,
  },
  {
    says: 'a program after run has a timeout of its own',
    files: { run: '', post: 'sleep 60' },
    programs: { ...simple, postTimeout: 1 },
    result: ['POST_FAILURE', /^post was not done in time$/],
  },
  {
    says: 'pre-run has a timeout of its own',
    files: { pre: 'sleep 60', run: '', post: '' },
    programs: { preRun: [program('pre')], ...simple, preTimeout: 1 },
    timeout: 600,
    result: ['RETRY', /^pre was not done in time$/],
  },
  {
    says: 'a line that says so makes the job fail, whatever the program ends with',
    files: { run: 'echo ok; printf "FAIL: "; sleep 0.2; echo first; echo FAIL: second', post: '' },
    programs: { ...simple, failureOutput: ['FAIL: .*irst', '^never$'] },
    result: ['FAILURE', /^failure-output: FAIL: first$/],
  },
  {
    says: 'what is returned in the wrong form is an error that names the key',
    files: { run: 'echo \'{"zuul": {"child_jobs": 3}}\' > $SLUICE_RETURN', post: 'exit 1' },
    programs: simple,
    result: ['ERROR', /^run: SLUICE_RETURN: zuul.child_jobs: .* must be a list of job names$/],
  },
  {
    says: 'what is returned is bounded',
    files: { run: 'head -c 70000 /dev/zero > $SLUICE_RETURN' },
    programs: { run: [program('run')] },
    result: ['ERROR', /holds more than 65536 bytes/],
  },
];

for (const { says, files, programs, timeout, result, log } of rows) {
  test(says, async (t) => {
    const context = await contextOf(t);
    const ended = await stageOf(files).run(inputOf(programs, { timeout: timeout ?? null }), context);
    assert.equal(ended.result, result[0], context.said());
    assert.match(ended.summary, result[1]);
    if (log) assert.match(context.said(), log);
    assert.equal(context.failed.length, programs.failureOutput ? 1 : 0);
  });
}

test('what all programs return is part of the result', async (t) => {
  const stage = stageOf({
    run: 'echo \'{"zuul": {"artifacts": [{"name": "docs", "url": "docs/"}], "child_jobs": ["deploy"]}, "n": 1}\' > $SLUICE_RETURN',
    post: 'test ! -e $SLUICE_RETURN; echo \'{"zuul": {"log_url": "http://logs.test/1/", "warnings": ["slow"]}}\' > $SLUICE_RETURN',
  });
  assert.deepEqual(await stage.run(inputOf(simple), await contextOf(t)), {
    result: 'SUCCESS',
    summary: 'run succeeded',
    artifacts: [{ name: 'docs', url: 'http://logs.test/1/docs/' }],
    logUrl: 'http://logs.test/1/',
    childJobs: ['deploy'],
    remarks: ['slow'],
    data: { n: 1 },
  });
});

test('R1: a pipe, a directory or a link to nowhere in the place of the result holds nothing up', async (t) => {
  for (const made of ['mkfifo $SLUICE_RETURN', 'mkdir $SLUICE_RETURN', 'ln -s /nowhere $SLUICE_RETURN']) {
    const { result, data } = await stageOf({ run: made }).run(inputOf({ run: [program('run')] }), await contextOf(t));
    assert.deepEqual([result, data], ['SUCCESS', undefined], made);
  }
});

const pausing = {
  run: 'echo "{\\"zuul\\": {\\"pause\\": true}, \\"address\\": \\"$(hostname -i)\\"}" > $SLUICE_RETURN; (sleep 300 & echo $! > ~/daemon)',
  post: 'kill -0 $(cat ~/daemon); echo \'{"zuul": {"warnings": ["ended"]}}\' > $SLUICE_RETURN',
};

test('a job that pauses keeps its container and what runs there, and ends in it', async (t) => {
  const stage = stageOf(pausing);
  const input = inputOf(simple);
  const paused = await stage.run(input, await contextOf(t));
  assert.equal(paused.result, 'SUCCESS');
  assert.match(paused.summary, /it pauses until/);
  assert.equal(paused.paused?.queue, 'host-here');
  assert.match(String(paused.data?.address), /^\d+\.\d+\.\d+\.\d+$/);
  const { returned } = paused.paused ?? assert.fail();
  const context = await contextOf(t);
  const ended = await stage.resume({ stage: input, returned, abandoned: false }, context);
  assert.deepEqual([ended.result, ended.remarks, ended.data], ['SUCCESS', ['ended'], paused.data], context.said());
  assert.equal(await engine.find(input.build.id), null);
  const late = await stage.resume({ stage: input, returned, abandoned: false }, context);
  assert.deepEqual([late.result, late.summary], ['RETRY', 'the container of the paused job is gone']);
});

/** A server that says hello to whoever comes, and a program that asks it. */
const serving = {
  run: `
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 8000, Listen => 5); while ($c = $s->accept) { print $c "hello\\n"; close $c }' >~/log 2>&1 &
echo "{\\"zuul\\": {\\"pause\\": true}, \\"address\\": \\"$(hostname -i)\\"}" > $SLUICE_RETURN`,
  ask: `
address=$(grep -o '"address":"[^"]*"' $SLUICE_VARIABLES | cut -d '"' -f 4)
perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => "$ARGV[0]:8000")->getline' $address`,
};

test('a job that depends on a paused one reaches what it serves, and one without a network does not', async (t) => {
  const stage = stageOf(serving);
  const server = inputOf({ run: [program('run')] });
  const { paused, data } = await stage.run(server, await contextOf(t));
  t.after(() => engine.sweep(server.build.id));
  assert.ok(paused && data);
  const context = await contextOf(t);
  const asked = await stage.run(inputOf({ run: [program('ask')] }, { vars: data }), context);
  assert.equal(asked.result, 'SUCCESS', context.said());
  assert.match(context.said(), /hello/);
  const closed = stageOf({ run: 'ls /sys/class/net; id -un' }, nowhere, 'none');
  const shut = await contextOf(t);
  assert.equal((await closed.run(inputOf({ run: [program('run')] }), shut)).result, 'SUCCESS', shut.said());
  assert.match(shut.said(), /\nlo\nnobody\n/);
});

test('a paused job that nobody wants any more only cleans up', async (t) => {
  const stage = stageOf({ ...pausing, sweep: 'echo swept' });
  const input = inputOf({ ...simple, postRun: [program('post'), program('sweep', { cleanup: true })] });
  const { paused } = await stage.run(input, await contextOf(t));
  const context = await contextOf(t);
  const { returned } = paused ?? assert.fail();
  assert.equal((await stage.resume({ stage: input, returned, abandoned: true }, context)).result, 'CANCELED');
  assert.equal(context.said(), '== post-run sweep\nswept\n');
  assert.equal(await engine.find(input.build.id), null);
});

test('a cleanup that may take less than no time ends at once, and the job as others do', async (t) => {
  const stage = stageOf({ ...pausing, sweep: 'sleep 300' });
  const postRun = [program('post'), program('sweep', { cleanup: true })];
  const input = inputOf({ ...simple, postRun, postTimeout: -5 });
  const { paused } = await stage.run(input, await contextOf(t));
  const context = await contextOf(t);
  const { returned } = paused ?? assert.fail();
  assert.equal((await stage.resume({ stage: input, returned, abandoned: true }, context)).result, 'CANCELED');
  assert.match(context.said(), /^== post-run sweep\n/);
  assert.equal(await engine.find(input.build.id), null);
});

for (const [reason, log] of [
  ['CANCELLED', /\n== post-run sweep\nswept\n$/],
  ['WORKER_SHUTDOWN', /== run run\nstarted\n$/],
] as const) {
  test(`a job that ends by ${reason}`, async (t) => {
    const stage = stageOf({ run: 'echo started; sleep 300', post: 'echo never', sweep: 'echo swept' });
    const controller = new AbortController();
    const context = await contextOf(t, controller.signal);
    const input = inputOf({ ...simple, postRun: [program('post'), program('sweep', { cleanup: true })] });
    const running = stage.run(input, context);
    while (!context.said().includes('started')) await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort(new CancelledFailure(reason));
    await assert.rejects(running, CancelledFailure);
    assert.match(context.said(), log);
    assert.equal(await engine.find(input.build.id), null);
  });
}

test('files that programs leave are kept, of a failed job too', async (t) => {
  const store = await temporaryStore(t);
  const output = `cd "$SLUICE_OUTPUT"
printf 'a\\0\\377b' > artifacts/raw; ln artifacts/raw artifacts/again; ln -s /etc/passwd artifacts/link
mkdir -p 'docs/a b'; echo page > 'docs/a b/index.html'; mkfifo logs/pipe; false`;
  const returned = `echo '{"zuul": {"artifacts": [{"name": "docs", "url": "docs/a b/"}]}}' > "$SLUICE_RETURN"`;
  const stage = stageOf({ run: output, post: returned }, store);
  const context = await contextOf(t);
  const { result, artifacts, remarks } = await stage.run(
    inputOf({ run: [program('run')], postRun: [program('post')] }),
    context,
  );
  assert.equal(result, 'FAILURE', context.said());
  assert.equal(remarks, undefined);
  const kept = await keptOutput(store, artifacts);
  assert.deepEqual(Object.keys(kept), ['artifacts/again', 'artifacts/raw', 'docs/a b/index.html']);
  assert.equal(kept['docs/a b/index.html'], 'page\n');
  assert.equal(kept['artifacts/raw'], kept['artifacts/again']);
  assert.match(artifacts[1]?.url ?? '', /^http:\/\/sluice\.test\/api\/artifacts\/[0-9a-f]{64}\/files\/docs\/a%20b\/$/);
});

test('more files than a job may leave are said to be lost, and the verdict stands', async (t) => {
  const store = await temporaryStore(t);
  const stage = stageOf({ run: 'cd "$SLUICE_OUTPUT/logs"; seq 2001 | xargs touch' }, store);
  const { result, artifacts, remarks } = await stage.run(inputOf({ run: [program('run')] }), await contextOf(t));
  assert.deepEqual([result, artifacts], ['SUCCESS', []]);
  assert.match(
    remarks?.join() ?? '',
    /zuul-output is not kept: there are 2001 files of \d+ MiB, and a job may leave 2000/,
  );
});
