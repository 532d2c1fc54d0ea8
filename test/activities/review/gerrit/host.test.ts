import { testReviewHost } from '../contract.ts';
import { openWorld } from './host.ts';
import { testMergeTable } from './merge-table.ts';
import { testVerdicts } from './verdict.ts';
import { sharedGerrit } from './world.ts';

testReviewHost('Gerrit', async (t) => openWorld(t, await sharedGerrit()));
testMergeTable('what lands is what was tested, or nothing is tested', () => sharedGerrit());
testVerdicts('Gerrit', () => sharedGerrit());
