import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import type { Lease, Machine } from '../../../activities/nodes/port.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { createScriptStage } from '../../../activities/script/script-stage.ts';
import { type OpenSecrets, Refused } from '../../../activities/secrets/port.ts';
import { ensureImages } from '../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { JobSecrets } from '../../../pipelines/model/secrets.ts';
import { leasing, stageContext, stageInput, stageWorld } from '../install/stage.ts';
import { keptOutput } from './kept-output.ts';

const canary = 'canary-5b1f\nsecond "line"\n';
const data = { user: 'ann', password: canary };

before(() => ensureImages(builtInPlatforms.slice(0, 1), () => {}));

/** Programs by path; `secrets`: who may see the secret `upload` as `login`. */
interface Job {
  readonly programs: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly exposure?: JobSecrets['exposure'];
  readonly open?: OpenSecrets;
  readonly machine?: Lease['machine'];
  readonly failureOutput?: readonly string[];
  /** What is looked at on the machine once it is free of secrets. */
  readonly look?: (machine: Machine) => Promise<void>;
}

const opened: OpenSecrets = async () => [{ secret: 'upload', data, values: [canary] }];

/** Runs programs of one project, in order, as a job does. */
async function runJob(t: TestContext, job: Job) {
  const { programs, secrets = [], exposure = 'redact', open = opened, failureOutput = [] } = job;
  const world = await stageWorld(t);
  const docker = openProvider('docker');
  const { machine } = job;
  const lost = machine && { ...docker, lend: async () => ({ ...context.lease, machine }), release: async () => {} };
  const context = await stageContext(t);
  const sources = async ({ project }: { readonly project: string }, directory: string) => {
    assert.equal(project, 'lib/alpha');
    await mkdir(directory, { recursive: true });
    for (const [path, text] of Object.entries(programs)) {
      await writeFile(join(directory, path), `#!/bin/sh -e\n${text}\n`, { mode: 0o755 });
    }
  };
  const stage = createScriptStage({
    platform: world.platform,
    defaultLabel: 'debian-12',
    host: 'host-here',
    branchTip: async () => null,
    sources,
    openSecrets: open,
    store: world.store,
  });
  const own = { project: 'lib/alpha', branch: 'main', trusted: false, cleanup: false, level: 0, semaphores: [] };
  const scripts = Object.keys(programs).map((path) => ({ ...own, path }));
  const seen = (path: string) => (secrets.includes(path) ? [{ name: 'login', secret: 'upload' }] : []);
  const sealed = {
    uses: [{ secret: 'upload', project: 'lib/alpha', encrypted: 'sha256:0' }],
    playbooks: scripts.map(({ project, branch, path }) => ({ project, branch, path, secrets: seen(path) })),
    ...{ exposure, seal: 'seal' },
  };
  const more = secrets.length === 0 ? {} : { secrets: sealed };
  const run = { preRun: [], run: scripts, postRun: [], preTimeout: null, postTimeout: null, requiredProjects: [] };
  const input = stageInput('deb', { stage: 'script', programs: { ...run, failureOutput }, ...more });
  const told: string[] = [];
  const looking: typeof stage.run = async (what, inside) => {
    const scrubs: (() => Promise<void>)[] = [];
    const verdict = await stage.run(what, { ...inside, scrubBy: (scrub) => void scrubs.push(scrub) });
    if (job.look === undefined) return verdict;
    for (const scrub of scrubs) await scrub();
    const another = await docker.lend({ build: what.build.id });
    await job.look((await another.find()) ?? assert.fail('it has no machine'));
    return verdict;
  };
  const result = await leasing(looking, lost ?? docker)(input, {
    ...context,
    failing: async (line) => void told.push(line),
  });
  return { result, told, said: context.said(), store: world.store };
}

const read =
  'python3 -c \'import json,os;print(len(json.load(open(os.environ["SLUICE_SECRETS"]+"/login.json"))["password"]))\'';

test('a program finds its secret in a file that is in memory, its own, and gone afterwards', async (t) => {
  const { result, said } = await runJob(t, {
    programs: {
      use: `${read}
        stat -c '%a %U' $SLUICE_SECRETS/login.json; stat -f -c %T $SLUICE_SECRETS
        ls $SLUICE_SECRETS; if (echo x >$SLUICE_SECRETS/new) 2>/dev/null; then exit 9; fi`,
      other: 'echo "then: $SLUICE_SECRETS"; ls /run/sluice-secrets | wc -l',
    },
    secrets: ['use'],
  });
  assert.equal(result.result, 'SUCCESS', said);
  assert.match(said, new RegExp(`^${canary.length}\n400 nobody\ntmpfs\nlogin.json\n== run other\nthen: \n0\n`, 'm'));
});

test('I10: a machine that people will look at is free of secrets, and of what programs have written of them', async (t) => {
  const signal = AbortSignal.timeout(300_000);
  let seen = 0;
  await runJob(t, {
    programs: {
      use: `cp $SLUICE_SECRETS/login.json copy.json; echo 'see canary-5b1f here' >/tmp/'a b'; echo harmless >harmless
        mkdir /var/tmp/deep; printf 'x\\000canary-5b1f' >/var/tmp/deep/binary
        sh -c 'exec -a left-behind sleep 3000' >/dev/null 2>&1 &
        exit 3`,
    },
    secrets: ['use'],
    async look(machine) {
      const { output } = await machine.exec(
        ['sh', '-c', 'ls /run/sluice-secrets; ls -R /work /tmp /var/tmp/deep; cat /proc/[0-9]*/cmdline | tr "\\0" " "'],
        { signal },
      );
      assert.doesNotMatch(output, /copy\.json|a b|binary|login|sleep 3000/);
      assert.match(output, /^harmless$/m);
      seen += 1;
    },
  });
  assert.equal(seen, 1);
});

test('files with a secret in them are not kept, for everybody may read what is', async (t) => {
  const { result, said, store } = await runJob(t, {
    programs: {
      use: `cd $SLUICE_OUTPUT/logs; echo fine >fine; sed 's/^/> /' $SLUICE_SECRETS/login.json >trace; touch bare; chmod 0 bare`,
    },
    secrets: ['use'],
  });
  assert.equal(result.result, 'SUCCESS', said);
  assert.deepEqual(await keptOutput(store, result.artifacts), { 'logs/fine': 'fine\n' });
  assert.match(result.remarks?.join() ?? '', /^1 file in zuul-output could not be read by the job's user$/);
});

test('neither the log nor the result nor an artifact’s name shows what a program prints of it', async (t) => {
  const { result, said } = await runJob(t, {
    programs: {
      use: `cat $SLUICE_SECRETS/login.json; echo
        printf 'cana'; sleep 0.2; echo 'ry-5b1f'; sleep 0.5
        echo 'failed with second "line"' >&2; exit 3`,
    },
    secrets: ['use'],
  });
  assert.deepEqual([result.result, result.summary], ['FAILURE', 'use ended with 3: failed with [secret]']);
  assert.doesNotMatch(said + JSON.stringify(result), /canary|second/);
  assert.match(said, /"user":"ann","password":"\[secret\]/);
});

test('nor does the line that tells of a failure before its end', async (t) => {
  const programs = { use: `echo "FAIL: $(cat $SLUICE_SECRETS/login.json)"` };
  const { result, told } = await runJob(t, { programs, secrets: ['use'], failureOutput: ['FAIL'] });
  assert.equal(result.result, 'FAILURE');
  assert.match(told.join(), /^FAIL: .*\[secret\]/);
  assert.doesNotMatch(told.join() + JSON.stringify(result), /canary/);
});

test('with secret-exposure: fail, printing a secret is the verdict', async (t) => {
  const use = 'cat $SLUICE_SECRETS/login.json';
  const { result, said } = await runJob(t, { programs: { use }, secrets: ['use'], exposure: 'fail' });
  assert.deepEqual([result.result, result.summary], ['SECRET_EXPOSURE', 'test printed a secret, which was not shown']);
  assert.doesNotMatch(said, /canary/);
  const silent = await runJob(t, { programs: { use: read }, secrets: ['use'], exposure: 'fail' });
  assert.equal(silent.result.result, 'SUCCESS');
});

test('a program that may not see the secret gets it neither by what it leaves running nor by altering others', async (t) => {
  const { result, said } = await runJob(t, {
    programs: {
      first: `test -z "$SLUICE_SECRETS"
        printf '#!/bin/sh\\ncp $SLUICE_SECRETS/login.json %s/stolen\\n' "$HOME" >$(dirname $0)/use
        echo 'export STOLEN=1' >$HOME/.profile
        (while :; do cp /run/sluice-secrets/login.json $HOME/stolen 2>/dev/null; done) >/dev/null 2>&1 &`,
      use: `${read}
        pwd; touch left; test ! -e $HOME/.profile; sleep 0.5`,
      last: 'pwd; test -e left; test ! -e $HOME/stolen; echo nothing stolen',
    },
    secrets: ['use'],
  });
  assert.equal(result.result, 'SUCCESS', said);
  assert.match(said, new RegExp(`== run use\n${canary.length}\n/work/lib/alpha\n`));
  assert.match(said, /nothing stolen/);
});

test('a job that the server refuses runs nothing, and says why', async (t) => {
  const open = () => Promise.reject(new Refused('test is not as it was frozen'));
  const { result, said } = await runJob(t, { programs: { use: 'echo ran' }, secrets: ['use'], open });
  assert.deepEqual([result.result, result.summary], ['ERROR', 'test is not as it was frozen']);
  assert.doesNotMatch(said, /ran/);
});

test('a fault that has a secret in its words reaches nobody with it', async (t) => {
  const machine = () => Promise.reject(new Error(`lost: ${canary}`, { cause: new Error(canary) }));
  const fault = await runJob(t, { programs: { use: 'true' }, secrets: ['use'], machine }).catch((error) => error);
  assert.match(inspect(fault), /lost: \[secret\]/);
  assert.doesNotMatch(inspect(fault), /canary/);
});

test('a job without secrets runs as ever', async (t) => {
  const { result, said } = await runJob(t, { programs: { work: 'echo $HOME $0; test ! -e /run/sluice-secrets' } });
  assert.equal(result.result, 'SUCCESS', said);
  assert.match(said, /^(\S+) \1\/lib\/alpha\/work$/m);
});
