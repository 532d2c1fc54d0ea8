import { testReviewHost } from '../contract.ts';
import { openWorld } from './host.ts';
import { sharedGerrit } from './world.ts';

testReviewHost('Gerrit', async (t) => openWorld(t, await sharedGerrit()));
