import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onlyUnknown, readSignatures, refusal } from '../../../activities/keys/signatures.ts';
import { judgeDates } from '../../../pipelines/formats/deb/release.ts';

const id = 'A'.repeat(40);

/** What GnuPG says of one signature. */
function status(word: string, digest: number): string {
  return [
    '[GNUPG:] NEWSIG',
    `[GNUPG:] ${word} ${id.slice(-16)} A <a@example.org>`,
    `[GNUPG:] VALIDSIG ${id} 2026-01-05 1767571200 0 4 0 1 ${digest} 01 ${'B'.repeat(40)}`,
  ].join('\n');
}

for (const [says, signatures, apt, dnf] of [
  ['a good one', status('GOODSIG', 10), null, null],
  ['by a key that has expired', status('EXPKEYSIG', 10), /the key that signed it has expired/, /has expired/],
  ['by a key that was revoked', status('REVKEYSIG', 8), /was revoked/, /was revoked/],
  ['that ran out itself', status('EXPSIG', 10), /the signature itself has expired/, /itself has expired/],
  ['by SHA-1', status('GOODSIG', 2), /SHA-1, which APT refuses/, null],
  ['by RIPEMD-160', status('GOODSIG', 3), /RIPEMD-160/, null],
  ['an old one and a good one', `${status('EXPKEYSIG', 10)}\n${status('GOODSIG', 8)}`, null, null],
  ['an old one and one by SHA-1', `${status('EXPKEYSIG', 10)}\n${status('GOODSIG', 2)}`, /has expired/, null],
  ['none that adds up', '[GNUPG:] NODATA 1', /no signature that adds up/, /no signature/],
] as const) {
  test(`K3: a signature ${says}, as clients judge it`, () => {
    const found = readSignatures(signatures);
    for (const [by, expected] of [
      ['apt', apt],
      ['dnf', dnf],
    ] as const) {
      if (expected === null) assert.equal(refusal(found, by), null, by);
      else assert.match(refusal(found, by) ?? '', expected, by);
    }
  });
}

const unknown = `[GNUPG:] ERRSIG ${id.slice(-16)} 1 10 00 1767571200 9 ${id}\n[GNUPG:] NO_PUBKEY ${id.slice(-16)}`;
const bad = `[GNUPG:] BADSIG ${id.slice(-16)} A <a@example.org>`;
const unusable = `[GNUPG:] ERRSIG ${id.slice(-16)} 1 10 00 1767571200 4 ${id}`;
for (const [says, said, expected] of [
  ['one good, one by a key that is not there', `${status('GOODSIG', 10)}\n${unknown}`, true],
  ['one good alone', status('GOODSIG', 10), false],
  ['none by a key that is there', unknown, false],
  ['one good, one that does not add up', `${status('GOODSIG', 10)}\n${bad}`, false],
  ['one good, one unknown, one that does not add up', `${status('GOODSIG', 10)}\n${unknown}\n${bad}`, false],
  ['one good, one by an algorithm that nobody knows', `${status('GOODSIG', 10)}\n${unusable}`, false],
] as const) {
  test(`of signatures, ${says}: ${expected ? 'the others' : 'not only others'} are unknown`, () => {
    assert.equal(onlyUnknown(said), expected);
  });
}

test('K3: of a signature by a subkey both keys are known', () => {
  const [found] = readSignatures(status('GOODSIG', 10));
  assert.deepEqual([found?.signer, found?.primary], [id, 'B'.repeat(40)]);
});

test('K3: a Release file is refused past its Valid-Until, and before its Date', () => {
  const now = Date.UTC(2026, 10, 28);
  const judge = (lines: string) => judgeDates(`Origin: x\n${lines}SHA256:\n ab 1 Packages\n`, now);
  assert.equal(judge('Date: Sat, 01 Nov 2025 00:00:00 UTC\n'), null);
  assert.equal(judge('Date: Sat, 01 Nov 2025 00:00:00 +0000\nValid-Until: Sun, 29 Nov 2026 00:00:00 UTC\n'), null);
  assert.match(judge('valid-until: Sun, 09 Nov 2025 00:00:00 UTC\n') ?? '', /^its Valid-Until \(Sun, 09 Nov 2025/);
  assert.match(judge('Date: Tue, 01 Dec 2026 00:00:00 UTC\n') ?? '', /^it is dated ahead/);
  assert.equal(judge('Valid-Until: some day\n'), null);
});
