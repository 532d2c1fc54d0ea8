import { pruneMirrors } from '../../../activities/mirror/inspect.ts';
import type { MirrorSet } from '../../../activities/mirror/types.ts';

/** Removes old snapshots in a process of its own, so that it can be killed. `now` is in milliseconds. */
const [, , set = '', state = '', now = ''] = process.argv;
await pruneMirrors(JSON.parse(set) as MirrorSet, { state, now: () => Number(now), log: () => {} });
