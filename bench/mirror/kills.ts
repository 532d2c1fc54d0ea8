import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { mirrorStatus } from '../../activities/mirror/inspect.ts';
import { syncMirrors } from '../../activities/mirror/sync.ts';
import type { MirrorSet } from '../../activities/mirror/types.ts';
import { must } from '../../activities/process/run.ts';
import { startSshServer } from '../../test/activities/mirror/sshd.ts';
import { look, mirrorWorld, type World } from '../../test/activities/mirror/world.ts';

/**
 * Kills the process of a sync at random moments, on a local directory, an rsync daemon, an ssh host and one that offers
 * SFTP alone in one set, and checks after each recovery what must hold of all of them. Ends with status 1 at the first
 * that does not.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    layout: { type: 'string', default: 'snapshots' },
    hosts: { type: 'string', default: 'local,daemon,ssh,sftp' },
    keep: { type: 'string', default: '0' },
  },
});
const [kills, keep] = [Number(values.kills), Number(values.keep)];
const layout = values.layout === 'pool' ? 'pool' : 'snapshots';

/** What a tree holds: a line with the hash and the path of each file. */
type Lines = ReadonlySet<string>;

const listScript = `cd -- "$1" && find -L . -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum`;

async function linesOf(directory: string): Promise<Lines> {
  const { stdout } = await must('sh', ['-c', listScript, 'sh', directory]);
  return new Set(stdout.split('\n').filter((line) => line !== ''));
}

const isPackage = (line: string) => line.includes('  ./pool/');

/** Which state a snapshot is, whole: through a pool it leads to packages of others as well. -1 where it is none. */
function stateIn(states: readonly Lines[], found: Lines): number {
  const beside = (state: Lines) => [...found].filter((line) => !state.has(line));
  const isFor = (line: string) => layout === 'pool' && isPackage(line);
  return states.findIndex((state) => [...state].every((line) => found.has(line)) && beside(state).every(isFor));
}

const context = (world: World) => ({ ...world.context, now: Date.now });

/** What is tried and what came of it. */
const tally = { killed: 0, during: { nothing: 0, staging: 0, flipping: 0 }, showed: { old: 0, new: 0 }, survived: 0 };

/** Starts a sync in a process of its own, and kills it within so many milliseconds of its beginning. */
async function killWithin(world: World, set: MirrorSet, longest: number): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, '../../test/activities/mirror/sync-child.ts'),
      JSON.stringify(set),
      world.context.state,
    ],
    { stdio: 'ignore', env: { ...process.env, TMPDIR: world.local('tmp') } },
  );
  const closed = once(child, 'close');
  const mark = join(world.context.state, set.name, 'running');
  const hasBegun = async () => (await readFile(mark, 'utf8').catch(() => '')) === String(child.pid);
  while (child.exitCode === null && !(await hasBegun())) await sleep(5);
  const begun = performance.now();
  await Promise.race([sleep(Math.random() * longest), closed]);
  child.kill('SIGKILL');
  const [, signal] = await closed;
  return signal === 'SIGKILL' ? null : performance.now() - begun;
}

async function phaseOf(world: World, set: MirrorSet): Promise<Phase> {
  const text = await readFile(join(world.context.state, set.name, 'transaction.json'), 'utf8').catch(() => null);
  return text === null ? 'nothing' : (JSON.parse(text) as { phase: Phase }).phase;
}

type Phase = keyof typeof tally.during;

/**
 * Of our own lock `status` says that the next command takes it at once: there until that ends. To a host without a shell
 * it comes under a name of its own.
 */
const isLock = (name: string) => /^\.deb\.(lock|lock-link|new-[0-9a-f]{12})$/.test(name);
/** What is left of one on its way there or back is not seen where no lock is taken. */
const isHalfLock = (name: string) => isLock(name) && name !== '.deb.lock';

interface Checked {
  readonly states: readonly Lines[];
  /** Which of them was shown before. */
  readonly least: number;
  /** Whether this may be there of a lock; default: not. */
  readonly mayStay?: (name: string) => boolean;
}

/**
 * What must hold of hosts that nobody works on: they agree, show a whole state, and have nothing besides.
 *
 * @returns which of the states they show
 */
async function check(roots: readonly string[], { states, least, mayStay = () => false }: Checked): Promise<number> {
  const looked = await Promise.all(roots.map(look));
  const seen = looked.map(({ names, ...one }) => ({ ...one, names: names.filter((name) => !mayStay(name)) }));
  const [first] = seen;
  assert.ok(first !== undefined);
  for (const one of seen) assert.deepEqual(one, first, 'hosts differ');
  assert.equal(first.head, `snapshots/${first.latest}`);
  const beside = first.snapshots.flatMap((name) => [name, `${name}.diff.txt`]);
  const own = ['deb-latest', 'deb-latest.target.txt', ...(layout === 'pool' ? ['deb-pool'] : [])];
  assert.deepEqual(first.names, [...beside, ...own].sort(), 'something is left');
  for (const root of roots) {
    const hidden = (await must('find', [root, '-mindepth', '1', '-name', '.*', '-printf', '%f\\n'])).stdout.split('\n');
    assert.deepEqual(
      hidden.filter((name) => name !== '' && !isLock(name)),
      [],
      'temporary files are left',
    );
    const found: readonly Lines[] = await Promise.all(
      first.snapshots.map((name) => linesOf(join(root, 'snapshots', name))),
    );
    const known = found.map((lines) => stateIn(states, lines));
    assert.ok(!known.includes(-1), `a snapshot is no state that was published: ${known}`);
    assert.equal(new Set(known).size, known.length, `a state was published twice: ${known}`);
    if (layout !== 'pool') continue;
    const named = known.flatMap((nth) => [...(states[nth] ?? [])].filter(isPackage));
    assert.deepEqual(await linesOf(join(root, 'snapshots/deb-pool')), new Set(named), 'the pool has more');
  }
  const shown = stateIn(states, await linesOf(join(roots[0] ?? '', 'stable')));
  assert.ok(shown >= least, `state ${shown} is shown after ${least}`);
  return shown;
}

/** Counts a sync that was killed, or ended by itself. @returns what it was at; null where it ended */
async function note(world: World, set: MirrorSet, ended: number | null): Promise<Phase | null> {
  if (ended !== null) {
    tally.survived += 1;
    return null;
  }
  const phase = await phaseOf(world, set);
  tally.killed += 1;
  tally.during[phase] += 1;
  return phase;
}

async function killAll(world: World, set: MirrorSet, roots: readonly string[]): Promise<void> {
  const states: Lines[] = [];
  const publish = async () => {
    await world.publish(`alpha${states.length % 9}`, `${states.length + 1}`);
    states.push(await linesOf(await realpath(world.source)));
  };
  const sync = async () => {
    const result = await syncMirrors(set, context(world));
    assert.match(result.outcome, /committed|unchanged/, JSON.stringify(result));
    const half = result.outcome === 'unchanged' ? { mayStay: isHalfLock } : {};
    assert.equal(await check(roots, { states, least: 0, ...half }), states.length - 1, 'the newest state is lost');
  };
  await publish();
  await sync();
  await publish();
  const begun = performance.now();
  await sync();
  let [longest, shown] = [performance.now() - begun, states.length - 1];
  while (tally.killed < kills) {
    await publish();
    const ended = await killWithin(world, set, longest);
    longest = ended ?? longest;
    let phase = await note(world, set, ended);
    // Who recovers may be killed as well.
    if (ended === null && Math.random() < 0.2)
      phase = await note(world, set, await killWithin(world, set, longest / 2));
    const { outcome, hosts } = await mirrorStatus(set, context(world));
    assert.equal(outcome, 'unchanged', JSON.stringify(hosts));
    // A command without a transaction leaves nothing to recover, and may leave its lock.
    const now = await check(roots, { states, least: shown, ...(phase === 'nothing' ? { mayStay: isLock } : {}) });
    tally.showed[now === states.length - 1 ? 'new' : 'old'] += 1;
    shown = now;
    console.error(JSON.stringify(tally));
    if (tally.killed % 5 !== 0) continue;
    await sync();
    shown = states.length - 1;
  }
  await sync();
}

const ends: (() => unknown)[] = [];
try {
  const world = await mirrorWorld({ after: (end: () => unknown) => void ends.push(end) } as never);
  const daemon = await world.daemon('m2');
  await mkdir(world.local('sshd'));
  await mkdir(world.local('tmp'));
  const { port, identity, knownHosts, sftp, stop } = await startSshServer(world.local('sshd'));
  ends.push(stop);
  const ssh = { url: `ssh://root@127.0.0.1:${port}${world.local('m3')}`, identity, knownHosts };
  const m4 = world.local('sshd/m4');
  const all = {
    local: { url: world.local('m1'), root: world.local('m1') },
    daemon: { url: daemon.url, root: world.local('m2') },
    ssh: { ...ssh, root: world.local('m3') },
    sftp: { ...sftp(m4), root: m4 },
  };
  const chosen = Object.entries(all).filter(([name]) => values.hosts.split(',').includes(name));
  const hosts = Object.fromEntries(chosen.map(([name, { root: _, ...host }]) => [name, host]));
  const set = world.set({ layout, keep, timeout: 60, hosts });
  const roots = chosen.map(([, { root }]) => root);
  const started = performance.now();
  await killAll(world, set, roots);
  const seconds = Math.round((performance.now() - started) / 1000);
  const left = (await readdir(world.local('tmp'))).length;
  const figures = { layout, keep, hosts: Object.keys(hosts), seconds, ...tally, left };
  console.log(JSON.stringify({ bench: 'mirror-kills', ...figures }, null, 2));
} finally {
  for (const end of ends.reverse()) await end();
}
