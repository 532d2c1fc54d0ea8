import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute } from '../../activities/nodes/ssh/exec.ts';
import { hardwareHere } from '../../activities/nodes/vm/accelerator.ts';
import { restoreMachine } from '../../activities/nodes/vm/lend.ts';
import { prepareSnapshot } from '../../activities/nodes/vm/prepare.ts';
import { createVmProvider } from '../../activities/nodes/vm/provider.ts';
import { placesIn } from '../../activities/nodes/vm/records.ts';
import { remoteOf } from '../../activities/nodes/vm/remote.ts';
import { checkout } from '../../infra/bootstrap/find.ts';
import { ensureVmImage } from '../../infra/images/vm/image.ts';

const signal = AbortSignal.timeout(3_600_000);
const build = `bench-${process.pid}`;
const many = 10;

/** Milliseconds from the wish for a machine to the end of a program in it, and the bytes of its disk by then. */
async function restore(lender: Parameters<typeof restoreMachine>[0], snapshot: Parameters<typeof restoreMachine>[1]) {
  const begin = performance.now();
  const { directory, line } = await restoreMachine(lender, snapshot, { build, name: 'bench' });
  await execute(remoteOf(line), ['true'], { signal });
  const took = performance.now() - begin;
  return { took, bytes: (await stat(join(directory, 'disk'))).blocks * 512 };
}

const root = await mkdtemp(join(tmpdir(), 'sluice-bench-vm-'));
const places = placesIn(root);
const lender = { places, installation: null, ways: [] };
const { sweep } = createVmProvider({ ...lender, ways: async () => [] });
try {
  const system = { format: 'deb', codename: 'bookworm' } as const;
  const from = await ensureVmImage(join(checkout, '.tools', 'vm', 'images'), system, () => {});
  const small = { image: 'bench', from, hardware: await hardwareHere(), cores: 1, memoryMiB: 256 };
  const snapshot = await prepareSnapshot(lender, small, { signal });
  const one = await restore(lender, snapshot);
  await sweep(build);
  const all = await Promise.all(Array.from({ length: many }, () => restore(lender, snapshot)));
  await sweep(build);
  const times = all.map(({ took }) => took).sort((a, b) => a - b);
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const bytes = all.reduce((sum, each) => sum + each.bytes, 0);
  const saved = join(places.snapshots, snapshot.id);
  const sizes = await Promise.all(
    (await readdir(saved)).map(async (name) => (await stat(join(saved, name))).blocks * 512),
  );
  const snapshotBytes = sizes.reduce((sum, size) => sum + size, 0);
  const result = {
    ...{ bootMs: snapshot.bootMs, restoreMs: one.took, restoreToBoot: one.took / snapshot.bootMs },
    ...{ machines: many, firstMs: first, lastMs: last, lastToFirst: last / first },
    ...{ snapshotBytes, overlayBytes: bytes, tenToOne: (snapshotBytes + bytes) / (snapshotBytes + one.bytes) },
    targets: { restoreToBoot: 0.1, lastToFirst: 3, tenToOne: 1.2 },
  };
  console.log(
    JSON.stringify(result, (_, value) => (typeof value === 'number' ? Math.round(value * 1e3) / 1e3 : value), 2),
  );
} finally {
  await sweep(build);
  await rm(root, { recursive: true, force: true });
}
