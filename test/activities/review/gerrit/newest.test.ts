import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findJava } from '../../../../infra/gerrit/java.ts';
import { newestGerrit, usualGerrit } from '../../../../infra/gerrit/versions.ts';
import { testReviewHost } from '../contract.ts';
import { openWorld } from './host.ts';
import { testMergeTable } from './merge-table.ts';
import { testVerdicts } from './verdict.ts';
import { sharedGerrit } from './world.ts';

const name = `Gerrit ${newestGerrit.number}`;
const open = () => sharedGerrit(newestGerrit);

test('a Java is taken only where it is new enough', async () => {
  assert.notEqual(await findJava(usualGerrit.java), null);
  assert.equal(await findJava(1_000), null);
});

if ((await findJava(newestGerrit.java)) === null)
  console.log(`# no ${name}: there is no Java ${newestGerrit.java} to run it with, and its part is left out`);
else {
  console.log(`# ${name} runs beside ${usualGerrit.number}: there is a Java for it`);
  testReviewHost(name, async (t) => openWorld(t, await open()));
  testMergeTable(name, open);
  testVerdicts(name, open);
}
