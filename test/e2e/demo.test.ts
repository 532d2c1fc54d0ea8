import { test } from 'node:test';
import { tellDemo } from './tell-demo.ts';

test('the demo tells its whole story, and says so to machines', { timeout: 1_800_000 }, (t) => tellDemo(t, 'docker'));
