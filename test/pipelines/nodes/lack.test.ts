import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Capacity, withMachines } from '../../../pipelines/nodes/capacity.ts';
import { lacking, leftOf } from '../../../pipelines/nodes/lack.ts';
import { waitsBecause } from '../../../pipelines/report/nodes.ts';

const size = { cores: 2, ramGb: 0.5 };
const usage = (servers: number) =>
  withMachines(
    { servers: 0, cores: 0, ramGb: 0 },
    Array.from({ length: servers }, () => size),
  );

/** What two machines of the size wait for, behind so many others, where three are lent. */
const cases: readonly [says: string, most: Capacity, ahead: number, closed: boolean, why: string][] = [
  ['too few servers', { maxServers: 4 }, 0, false, 'needs 2 servers, 1 free'],
  ['too few cores', { maxServers: 5, maxCores: 8 }, 0, false, 'needs 4 cores, 2 free'],
  ['too little memory', { maxRamGb: 1.9 }, 0, false, 'needs 1 GB of memory, 0.4 free'],
  [
    'all of them, where more is lent than there is by now',
    { maxServers: 2, maxCores: 4, maxRamGb: 1 },
    0,
    false,
    'needs 2 servers, 0 free; needs 4 cores, 0 free; needs 1 GB of memory, 0 free',
  ],
  ['who comes before, though there is enough', { maxServers: 9 }, 1, false, '1 other ahead'],
  ['who comes before, and too little', { maxServers: 4 }, 2, false, '2 others ahead; needs 2 servers, 1 free'],
  ['nothing any more', {}, 0, false, 'is lent them now'],
  ['what the entity has to ask first', { maxServers: 9 }, 1, true, 'jobs are asked first what they hold'],
];
for (const [says, most, ahead, closed, why] of cases) {
  test(`I10: why a job waits for nodes: ${says}`, () => {
    assert.equal(waitsBecause(ahead, lacking([size, size], leftOf(usage(3), most)), closed), why);
  });
}
