import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultPayloadConverter } from '@temporalio/common';
import { checkout } from '../../../infra/bootstrap/find.ts';
import { ensureImages } from '../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { readHolder, type StackAddresses } from '../../../infra/stack/lock.ts';
import { connect, type TemporalConnection } from '../../../infra/temporal/connection.ts';
import { sealedSecretsOf } from '../../../pipelines/model/secrets.ts';
import type { BuildRecord } from '../../../server/api/types.ts';
import type { JobInput, JobResult } from '../../../workflows/contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-secrets-'));
const data = join(directory, 'data');
const main = join(checkout, 'cli', 'main.ts');
const canary = 'canary-7d41e0\nsecond-line-of-it';

const program = `#!/bin/sh
cat $SLUICE_SECRETS/login.json >&2
python3 - <<'END'
import hashlib, json, os
password = json.load(open(os.environ['SLUICE_SECRETS'] + '/login.json'))['password']
print('digest', hashlib.sha256(password.encode()).hexdigest())
print(password, flush=True)
END
exit 0
`;

let up: ChildProcess;
let stack: StackAddresses;
let temporal: TemporalConnection;

async function until<T>(what: string, find: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const deadline = Date.now() + 300_000; Date.now() < deadline; await sleep(100)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  assert.fail(`not so after five minutes: ${what}`);
}

function sluice(words: readonly string[], input = ''): string {
  return execFileSync(process.execPath, [main, ...words], { cwd: directory, input, encoding: 'utf8' });
}

function git(...words: readonly string[]): void {
  const who = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org'];
  execFileSync('git', ['-C', join(directory, 'app'), ...who, ...words], { stdio: 'pipe' });
}

async function builds(query: string): Promise<readonly BuildRecord[]> {
  return (await (await fetch(`${stack.url}/api/builds?${query}`)).json()) as readonly BuildRecord[];
}

/** The input that a job's workflow was started with. */
async function inputOf(workflow: string): Promise<JobInput> {
  const { events } = await temporal.client.workflow.getHandle(workflow).fetchHistory();
  const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  return defaultPayloadConverter.fromPayload(payload ?? assert.fail('no input'));
}

before(async () => {
  await ensureImages(builtInPlatforms.slice(0, 1), () => {});
  writeFileSync(join(directory, 'sluice.yaml'), 'server: {listen: "127.0.0.1:0"}\ntemporal: {port: 0, uiPort: 0}\n');
  mkdirSync(join(directory, 'app'));
  git('init', '--quiet', '--initial-branch=main');
  writeFileSync(join(directory, 'app', '.zuul.yaml'), '- project: {gate: {jobs: [noop]}}\n');
  git('add', '.');
  git('commit', '--quiet', '--message=Start');
  sluice(['project', 'add', 'org/app', 'app']);
  up = spawn(process.execPath, [main, 'up'], { cwd: directory, stdio: 'ignore' });
  stack = await until('the stack is ready', () => readHolder(data)?.stack ?? undefined);
  temporal = await connect({ address: stack.temporal, namespace: stack.namespace });
});

after(async () => {
  await temporal?.close();
  if (up?.kill('SIGTERM')) await once(up, 'exit');
  rmSync(directory, { recursive: true, force: true });
});

test('a job in the gate reads the secret that was encrypted for it', async () => {
  const secret = sluice(
    ['secret', 'encrypt', '--project', 'org/app', '--secret-name', 'upload', '--field-name', 'password'],
    `${canary}\n`,
  );
  const jobs = `
- job: {name: use, run: use.sh, secrets: {name: login, secret: upload}}
- project: {gate: {jobs: [use]}}
`;
  writeFileSync(join(directory, 'app', '.zuul.yaml'), secret + jobs);
  writeFileSync(join(directory, 'app', 'use.sh'), program, { mode: 0o755 });
  git('add', '.');
  git('commit', '--quiet', `--message=Use a secret\n\nChange-Id: I${'7'.repeat(40)}`);
  git('push', '--quiet', join(data, 'git', 'org/app.git'), 'HEAD:refs/for/main');
  sluice(['approve', '1']);
  const build = await until('the build has ended', async () => (await builds('job=use')).find((one) => one.endTime));
  const log = await (await fetch(`${stack.url}/api/builds/${build.id}/log`)).text();
  assert.equal(build.result, 'SUCCESS', log);
  assert.match(log, new RegExp(`digest ${createHash('sha256').update(canary).digest('hex')}\n\\[secret\\]`));
  assert.match(log, /\{"password":"\[secret\]/);
});

test('nothing of it is in a history, the store, a log, an artifact, or anywhere else in the data directory', async () => {
  const workflows: string[] = [];
  let jobs = '';
  for await (const { workflowId, runId } of temporal.client.workflow.list()) {
    const history = await temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const text = (history.events ?? []).map(readable).join('\n');
    assert.equal(/canary-7d41e0|second-line/.test(text), false, workflowId);
    workflows.push(workflowId);
    if (workflowId.startsWith('job/')) jobs += text;
  }
  assert.equal(/use\.sh/.test(jobs), true, 'payloads are read');
  assert.ok(workflows.some((id) => id.startsWith('job/')) && workflows.some((id) => id.startsWith('gate/')));
  assert.deepEqual(filesWith('canary-7d41e0|second-line-of-it'), []);
  // The search finds what is there: the log, and the job's name in histories and in the store.
  const searched = filesWith('use\\.sh').map((file) => file.split('/')[1]);
  for (const place of ['storage', 'temporal', 'store']) assert.ok(searched.includes(place), place);
});

function filesWith(pattern: string): readonly string[] {
  const { stdout } = spawnSync('grep', ['-rlaE', pattern, '.'], { cwd: data, encoding: 'utf8' });
  return stdout.split('\n').filter((file) => file !== '');
}

/** An event with the text of its payloads. */
function readable(event: object): string {
  return JSON.stringify(event, (key, value) =>
    key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString() : value,
  );
}

test('the keys and the workers’ token are for their owner alone', () => {
  const mode = (path: string) => statSync(join(data, path)).mode & 0o777;
  assert.deepEqual(
    ['secret-keys', 'secret-keys/org%2Fapp.pem', 'secret-keys/seal', 'worker-token'].map(mode),
    [0o700, 0o600, 0o600, 0o600],
  );
});

test('a job that has ended is given nothing, and people’s token opens nothing', async () => {
  const [build = assert.fail()] = await builds('job=use');
  const { job, sources } = await inputOf(build.workflow);
  const body = JSON.stringify({ build: build.id, job: 'use', sources, secrets: sealedSecretsOf(job) });
  const ask = (token: string) => {
    const bearer = readFileSync(join(data, token), 'utf8').trim();
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` };
    return fetch(`${stack.url}/api/secrets`, { method: 'POST', headers, body });
  };
  assert.equal((await ask('token')).status, 401);
  const ended = await ask('worker-token');
  assert.equal(ended.status, 409);
  assert.match(await ended.text(), /no build use-\w+ of use runs/);
});

test('started again as it was it gets its secret; altered it does not', async () => {
  const [build = assert.fail()] = await builds('job=use');
  const input = await inputOf(build.workflow);
  const run = async (name: string, altered: JobInput): Promise<JobResult> => {
    const workflowId = `${build.workflow}-${name}`;
    return temporal.client.workflow.execute('job', { workflowId, taskQueue: 'control', args: [altered] });
  };
  assert.equal((await run('again', input)).outcome.result, 'SUCCESS');
  const other = { ...input.source, commit: '1'.repeat(40) };
  const { outcome } = await run('altered', { ...input, source: other, sources: [other] });
  assert.deepEqual([outcome.result, /use is not as it was frozen/.test(outcome.summary ?? '')], ['ERROR', true]);
});
