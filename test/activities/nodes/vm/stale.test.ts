import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Hardware } from '../../../../activities/nodes/vm/host.ts';
import { localHost } from '../../../../activities/nodes/vm/hosts/local/host.ts';
import { placesIn, writeRecord } from '../../../../activities/nodes/vm/records.ts';
import { findStale, type Made, preparationOf } from '../../../../activities/nodes/vm/stale.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';
import { temporary } from '../../repository/packages.ts';

const tcg: Hardware = { accelerator: 'tcg', machine: 'pc-q35-7.2', emulator: '7.2' };
const platform = { ...builtInPlatforms[0], name: 'lab', provider: 'vm' } as Platform;

for (const [what, saved, now, reason] of [
  ['nothing is done to it, as before', undefined, undefined, null],
  ['what is done to it is the same', 'aa', 'aa', null],
  ['something is done to it now', undefined, 'aa', 'its provisioning is another now'],
  ['something else is done to it', 'aa', 'bb', 'its provisioning is another now'],
  ['nothing is done to it any more', 'aa', undefined, 'its provisioning is another now'],
] as const) {
  test(`I10: whether a machine is prepared anew where ${what}`, async (t) => {
    const places = placesIn(await temporary(t));
    const directory = join(places.snapshots, 's1');
    await mkdir(directory, { recursive: true });
    const made = preparationOf(platform, { from: '/images/x', provision: saved }, tcg);
    await writeRecord({ host: localHost, directory }, 'snapshot.json', {
      ...{ ...made, id: 's1', hostKey: 'k', time: 1, bootMs: 1 },
    });
    const madeNow = async (): Promise<Made> => ({ from: '/images/x', provision: now });
    const stale = await findStale({ places, platforms: [platform], madeNow, hardware: async () => tcg });
    const wanted = preparationOf(platform, { from: '/images/x', provision: now }, tcg);
    assert.deepEqual(stale, reason === null ? [] : [{ platform: 'lab', snapshot: 's1', reason, wanted }]);
  });
}
