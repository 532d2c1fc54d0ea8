import { testReviewHost } from '../contract.ts';
import { testCycles } from '../cycle.ts';
import { serve } from '../http-backend.ts';
import { openPlainWorld } from './world.ts';

testReviewHost('plain Git at a URL', (t) => openPlainWorld(t, { serve: (root) => serve(t, root, 'sluice') }));
testCycles('plain Git elsewhere', { open: (t) => openPlainWorld(t), modes: ['merge', 'rebase', 'squash-merge'] });
