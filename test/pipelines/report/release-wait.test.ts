import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PendingStep, releaseWait } from '../../../pipelines/report/release-wait.ts';

const step = (given: Partial<PendingStep>): PendingStep => ({
  ...{ name: 'signPackages', attempt: 1, begun: true, waits: 0 },
  ...given,
});

const told: readonly [says: string, pending: readonly PendingStep[], expected: string | null][] = [
  ['nothing is under way', [], null],
  ['a step is under way', [step({})], null],
  ['a step is about to begin', [step({ begun: false, waits: 3 })], null],
  [
    'a step fails',
    [step({ attempt: 2, fault: 'the card is not there' })],
    'it was tried once to sign the packages, and is tried again: the card is not there',
  ],
  [
    'a step fails again and again',
    [step({ name: 'stageReleased', attempt: 9, begun: false, waits: 40, fault: 'ENOSPC' })],
    'it was tried 8 times to make the next state, and is tried again: ENOSPC',
  ],
  [
    'another step fails',
    [step({ name: 'planRelease', attempt: 3, fault: 'HTTP 503' })],
    'it was tried 2 times to do planRelease, and is tried again: HTTP 503',
  ],
  [
    'a program fails that has much to say',
    [step({ attempt: 3, fault: `gpg --sign ended with 2: ${'long '.repeat(100)}\nsecond line` })],
    `it was tried 2 times to sign the packages, and is tried again: gpg --sign ended with 2: ${'long '.repeat(100).slice(0, 274)}…`,
  ],
  [
    'a build that is made again fails',
    [step({ name: 'runStage', attempt: 2, fault: 'no disk space' })],
    'it was tried once to build it again, and is tried again: no disk space',
  ],
  [
    'it waits for its turn to be built again',
    [step({ name: 'runStage', begun: false, waits: 3600 })],
    'it waits for a build worker that has a place for it, for 3600 s so far',
  ],
  [
    'nobody comes to sign',
    [step({ begun: false, waits: 61.7 })],
    'it waits for the signer, which has not come for 62 s: is it running (`sluice doctor`)?',
  ],
  [
    'nobody comes for anything',
    [step({ name: 'collect', begun: false, waits: 20 })],
    'it waits for the server, which has not come for 20 s: is it running (`sluice doctor`)?',
  ],
];
for (const [says, pending, expected] of told) {
  test(`of a release is told that ${says}`, () => assert.equal(releaseWait(pending), expected));
}
