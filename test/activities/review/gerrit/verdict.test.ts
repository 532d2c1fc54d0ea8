import { testVerdicts } from './verdict.ts';
import { sharedGerrit } from './world.ts';

testVerdicts('Gerrit', () => sharedGerrit());
