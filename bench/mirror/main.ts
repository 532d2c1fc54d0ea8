import { lstat, mkdir, realpath } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { must } from '../../activities/process/run.ts';
import { startSshServer } from '../../test/activities/mirror/sshd.ts';
import { mirrorWorld, type World } from '../../test/activities/mirror/world.ts';
import { makeDebs } from '../repository/packages.ts';
import { openSet, type Place, rsync, type Sync } from './peers.ts';

const { values } = parseArgs({
  options: {
    packages: { type: 'string', default: '1000' },
    changed: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    layout: { type: 'string', default: 'snapshots' },
  },
});
const { layout } = values;
const [packages, changed, rounds] = [Number(values.packages), Number(values.changed), Number(values.rounds)];

async function seconds<T>(work: () => Promise<T>): Promise<readonly [number, T]> {
  const start = performance.now();
  const result = await work();
  return [Math.round(performance.now() - start) / 1000, result];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

async function openPlaces(world: World, ends: (() => unknown)[]): Promise<readonly Place[]> {
  const local = join(world.directory, 'local');
  const daemon = await world.daemon('daemon');
  // Sluice lists all of a mirror's root: what rsync sends beside it stands elsewhere.
  const plain = (name: string) => join(world.directory, `plain-${name}`);
  const plainDaemon = await world.daemon('plain-daemon');
  const key = join(world.directory, 'sshd');
  await mkdir(key);
  const server = await startSshServer(key);
  ends.push(server.stop);
  const known = `-o 'UserKnownHostsFile="${server.knownHosts}"'`;
  const shell = `ssh -p ${server.port} -i '${server.identity}' ${known} -o BatchMode=yes`;
  const ssh = (name: string): Place => {
    const root = join(world.directory, name);
    const { identity, knownHosts } = server;
    const host = { url: `ssh://root@127.0.0.1:${server.port}${root}`, identity, knownHosts };
    return { kind: 'ssh', root, host, target: `root@127.0.0.1:${plain(name)}`, options: ['--rsh', shell], base: '..' };
  };
  const places: Place[] = [
    { kind: 'local', root: local, host: { url: local }, target: plain('local'), options: [], base: '..' },
    { kind: 'daemon', root: daemon.root, host: { url: daemon.url }, target: plainDaemon.url, options: [], base: '' },
    ...['ssh', 'ssh-1', 'ssh-2', 'ssh-3'].map(ssh),
  ];
  const roots = [...places.map(({ root }) => root), plain('local'), plain('ssh')];
  for (const root of roots) await mkdir(root, { recursive: true });
  return places;
}

/** Makes packages and adds them to the repository. */
async function publish(world: World, from: number, count: number): Promise<void> {
  await publishFiles(world, await makeDebs(join(world.directory, 'debs'), count, from));
}

async function publishFiles(world: World, files: readonly string[]): Promise<void> {
  const program = join(import.meta.dirname, '../../sluice');
  for (let at = 0; at < files.length; at += 5000) {
    const some = files.slice(at, at + 5000);
    await must(program, ['repo', 'publish', world.source, '--format', 'deb', '--codename', 'bench', ...some]);
  }
}

/** All programs with one place, round after round; `change` adds packages and answers with the tree. */
function openRow(place: Place, sync: () => Promise<Sync>) {
  const times: Record<string, number[]> = {};
  const bytes = { plain: 0, sluice: 0 };
  let memory = 0;
  const note = (name: string, took: number) => {
    times[name] ??= [];
    times[name].push(took);
  };
  return {
    async first(tree: string) {
      await rsync(place, tree);
      await rsync(place, tree, [], 'state-0');
      await sync();
    },
    async round(tree: string, number: number) {
      const [plain, sent] = await seconds(() => rsync(place, tree));
      const before = `--link-dest=${place.base}/state-${number - 1}`;
      const [linked] = await seconds(() => rsync(place, tree, [before], `state-${number}`));
      const [took, { result, memory: held }] = await seconds(sync);
      const [dry] = await seconds(() => rsync(place, tree, ['--dry-run']));
      const [idle] = await seconds(sync);
      for (const [name, time] of Object.entries({ plain, linked, took, dry, idle })) note(name, time);
      bytes.plain += sent;
      bytes.sluice += result.hosts.m0?.bytes ?? 0;
      memory = Math.max(memory, held);
    },
    result() {
      const of = (name: string) => median(times[name] ?? []);
      return {
        host: place.kind,
        changed: { sluice: of('took'), linkDest: of('linked'), rsync: of('plain') },
        unchanged: { sluice: of('idle'), rsyncDry: of('dry') },
        bytes,
        memory,
      };
    },
  };
}

/** Milliseconds between the first and the last head that turned. */
async function flipOf(places: readonly Place[]): Promise<number> {
  const turned = await Promise.all(places.map(async ({ root }) => (await lstat(join(root, 'stable'))).ctimeMs));
  return Math.round(Math.max(...turned) - Math.min(...turned));
}

async function measure(world: World, places: readonly Place[]) {
  const [one, three] = [places.slice(0, 3), places.slice(3)];
  const setOf = async (name: string, some: readonly Place[]) => {
    const directory = join(world.directory, name);
    await mkdir(directory);
    return openSet(directory, { source: world.source, layout }, some);
  };
  const rows = await Promise.all(one.map(async (place) => openRow(place, await setOf(`set-${place.kind}`, [place]))));
  const both = await setOf('set-three', three);
  await publish(world, 0, packages);
  for (const row of rows) await row.first(await realpath(world.source));
  await both();
  const [times, flips]: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    await publish(world, packages + (round - 1) * changed, changed);
    for (const row of rows) await row.round(await realpath(world.source), round);
    times.push((await seconds(both))[0]);
    flips.push(await flipOf(three));
  }
  return {
    rows: rows.map((row) => row.result()),
    three: { sluice: median(times), flip: median(flips), flips },
    one: await measureOne(world, both),
  };
}

/** Publications before those that are measured: from then on there is a state that nobody needs, to build on. */
const warm = 3;

/** One package more: published, and sent to all three hosts. */
async function measureOne(world: World, sync: () => Promise<Sync>) {
  const [published, synchronised]: [number[], number[]] = [[], []];
  for (let round = 0; round < warm + rounds; round += 1) {
    const files = await makeDebs(join(world.directory, 'debs'), 1, packages + rounds * changed + round);
    const times = [(await seconds(() => publishFiles(world, files)))[0], (await seconds(sync))[0]] as const;
    if (round < warm) continue;
    published.push(times[0]);
    synchronised.push(times[1]);
  }
  return { publish: median(published), sync: median(synchronised) };
}

const ends: (() => unknown)[] = [];
try {
  const world = await mirrorWorld({ after: (end: () => unknown) => void ends.push(end) } as never);
  const load = [loadavg()[0]];
  const measured = await measure(world, await openPlaces(world, ends));
  load.push(loadavg()[0]);
  const given = { layout, packages, changed, rounds, cores: cpus().length, load };
  console.log(JSON.stringify({ bench: 'mirror', unit: 's', ...given, ...measured }, null, 2));
} finally {
  for (const end of ends.reverse()) await end();
}
