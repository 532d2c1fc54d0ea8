import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idsOf, newMachine } from '../../../../activities/nodes/vm/lend.ts';
import { placesIn, writeRecord } from '../../../../activities/nodes/vm/records.ts';
import { readyId } from '../../../../pipelines/nodes/ready.ts';
import { temporary } from '../../repository/packages.ts';

test('I10: a machine that stood ready is removed by its name then and by its build, also where it was half taken', async (t) => {
  const places = placesIn(await temporary(t));
  const [ready, other] = [readyId('one'), readyId('two')];
  const { id, ...spot } = await newMachine(places, ready);
  await newMachine(places, other);
  // What `takeReady` writes first: all that may fail comes after it.
  const whose = { build: 'build-1', holder: 'job/1', installation: null };
  await writeRecord(spot, 'machine.json', { id, ...whose, name: 'server', snapshot: 's', hostKey: 'k' });
  assert.deepEqual(await idsOf(places, ready), [id]);
  assert.deepEqual(await idsOf(places, 'build-1'), [id]);
});
