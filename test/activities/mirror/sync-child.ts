import { syncMirrors } from '../../../activities/mirror/sync.ts';
import type { MirrorSet } from '../../../activities/mirror/types.ts';

/** Runs one synchronisation in a process of its own, so that it can be killed. */
const [, , set = '', state = ''] = process.argv;
const result = await syncMirrors(JSON.parse(set) as MirrorSet, { state, now: Date.now, log: () => {} });
process.stdout.write(JSON.stringify(result));
