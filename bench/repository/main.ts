import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { must } from '../../activities/process/run.ts';
import { publicKeyFile } from '../../activities/repository/port.ts';
import { closeAgent, exportPublicKey, openKey } from '../../activities/sign/key.ts';
import { findProgram } from '../../infra/bootstrap/find.ts';
import { makeDebs, makeRpms } from './packages.ts';
import { aptFtparchive, createrepo, mergerepo, type Peer, reprepro, sluice } from './peers.ts';

const { values } = parseArgs({
  options: { packages: { type: 'string', default: '1000' }, rounds: { type: 'string', default: '3' } },
});
const [packages, rounds] = [Number(values.packages), Number(values.rounds)];

/** Packages before those that are measured: from then on Sluice has a state that nobody needs any more to build on. */
const warm = 5;

interface Row {
  readonly format: 'deb' | 'rpm';
  readonly program: string;
  /** Seconds; of one more package the median. */
  readonly first: number;
  readonly one: number;
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round(performance.now() - start) / 1000;
}

/** All programs take turns with each package, so that the machine's other work meets them alike. */
async function measure(format: Row['format'], peers: readonly Peer[], files: { first: string[]; more: string[] }) {
  const first: number[] = [];
  for (const peer of peers) first.push(await seconds(() => peer.first(files.first)));
  await sign(format);
  const ones: number[][] = peers.map(() => []);
  for (const [round, file] of files.more.entries()) {
    for (const [position, peer] of peers.entries()) {
      const took = await seconds(() => peer.one(file));
      if (round >= warm) ones[position]?.push(took);
    }
  }
  return peers.map(({ name }, position): Row => {
    const sorted = (ones[position] ?? []).toSorted((a, b) => a - b);
    return { format, program: name, first: first[position] ?? 0, one: sorted[sorted.length >> 1] ?? 0 };
  });
}

/** The first publication is compared unsigned; what follows is of a repository that has this key already. */
async function sign(format: Row['format']): Promise<void> {
  const text = await exportPublicKey({ home: gnupg, key });
  await writeFile(join(await realpath(sluice(format, place).dir), publicKeyFile), text);
}

if (findProgram('reprepro') === undefined) await must('apt-get', ['install', '--yes', 'reprepro']);
const work = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const gnupg = join(work, 'gnupg');
const key = await openKey(gnupg, 'Bench <bench@example.org>', 'ed25519');
const place = { work, gnupg, key };
try {
  const load = [loadavg()[0]];
  const debs = await makeDebs(join(work, 'debs'), packages);
  const rpms = await makeRpms(join(work, 'rpms'), packages);
  const moreDebs = await makeDebs(join(work, 'more-debs'), warm + rounds, packages);
  const moreRpms = await makeRpms(join(work, 'more-rpms'), warm + rounds, packages);
  // Else who waits for the disk first waits for what was made here.
  await must('sync', []);
  const rows = [
    ...(await measure('deb', [sluice('deb', place), reprepro(place), aptFtparchive(place)], {
      first: debs,
      more: moreDebs,
    })),
    ...(await measure('rpm', [sluice('rpm', place), createrepo(place), mergerepo(place)], {
      first: rpms,
      more: moreRpms,
    })),
  ];
  load.push(loadavg()[0]);
  console.log(
    JSON.stringify({ bench: 'repository', unit: 's', packages, rounds, cores: cpus().length, load, rows }, null, 2),
  );
} finally {
  await closeAgent(gnupg);
  await rm(work, { recursive: true, force: true });
}
