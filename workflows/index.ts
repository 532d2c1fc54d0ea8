/** The bundle's entry: every workflow type, by the name that Temporal knows it by. */
export { buildSet } from './build-set.ts';
export { debugSession } from './debug-session.ts';
export { gate } from './gate.ts';
export { heldNodes } from './held-nodes.ts';
export { holds } from './holds.ts';
export { job } from './job.ts';
export { mirror } from './mirror.ts';
export { mirrorRetention } from './mirror-retention.ts';
export { nodes } from './nodes.ts';
export { release } from './release.ts';
export { reviewSync } from './review-sync.ts';
export { semaphores } from './semaphores.ts';
export { snapshotExpiry } from './snapshot-expiry.ts';
export { snapshotList } from './snapshot-list.ts';
export { snapshotPreparation } from './snapshot-preparation.ts';
export { sweep } from './sweep.ts';
export { timers } from './timers.ts';
