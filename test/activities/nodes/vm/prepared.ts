import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hardwareHere } from '../../../../activities/nodes/vm/accelerator.ts';
import type { Hardware } from '../../../../activities/nodes/vm/host.ts';
import { prepareSnapshot } from '../../../../activities/nodes/vm/prepare.ts';
import { type Places, placesIn, type Snapshot, snapshotsIn } from '../../../../activities/nodes/vm/records.ts';
import { unfit } from '../../../../activities/nodes/vm/snapshots.ts';
import { withLock } from '../../../../activities/process/lock.ts';
import { run } from '../../../../activities/process/run.ts';
import { checkout } from '../../../../infra/bootstrap/find.ts';
import { tools } from '../../../../infra/bootstrap/tools.ts';
import { ensureVmImage } from '../../../../infra/images/vm/image.ts';
import type { PackageFormat } from '../../../../pipelines/model/artifact.ts';

/** The machines that the tests are lent, by the format of their packages: as small as they can be. */
const machines = {
  deb: { image: 'sluice/vm-debian-12:minimal', codename: 'bookworm', memoryMiB: 256 },
  rpm: { image: 'sluice/vm-rpm-debian-12:minimal', codename: 'deb12', memoryMiB: 384 },
} as const;

/** The names of their images. */
export const { image } = machines.deb;
export const rpmImage = machines.rpm.image;

const directory = join(checkout, '.tools', 'vm');
const places = placesIn(join(directory, 'tests'));

/** Seconds that it may take, on a machine that others keep busy. */
const patience = 1_800;

/**
 * A machine that is booted and saved once for each image and emulator. `npm test` begins that before anybody waits for it;
 * that of RPM packages is for tests by hand alone.
 *
 * @throws an error that says what is not installed
 */
export async function preparedForTests(format: PackageFormat = 'deb'): Promise<Places> {
  for (const { program } of tools.filter(({ part }) => part === 'virtual machines')) {
    const { code } = await run('sh', ['-c', 'command -v "$1"', 'sh', program]);
    if (code !== 0) throw new Error(`${program} is not installed: ./sluice doctor --mend`);
  }
  await mkdir(directory, { recursive: true });
  return withLock(join(directory, 'lock'), 2 * patience, () => prepareOnce(format));
}

async function prepareOnce(format: PackageFormat): Promise<Places> {
  const { image, codename, memoryMiB } = machines[format];
  const from = await ensureVmImage(join(directory, 'images'), { format, codename }, () => {});
  const hardware: Hardware = await hardwareHere();
  const fits = (each: Snapshot) => each.digests !== undefined && each.from === from && unfit(each, hardware) === null;
  if ((await snapshotsIn(places)).some(fits)) return places;
  const small = { image, from, hardware, cores: 1, memoryMiB };
  const signal = AbortSignal.timeout(patience * 1_000);
  await prepareSnapshot({ places, installation: null, ways: [] }, small, { signal });
  return places;
}

if (import.meta.main) await preparedForTests();
