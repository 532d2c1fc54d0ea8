import { testMergeTable } from './merge-table.ts';
import { sharedGerrit } from './world.ts';

testMergeTable('what lands is what was tested, or nothing is tested', () => sharedGerrit());
