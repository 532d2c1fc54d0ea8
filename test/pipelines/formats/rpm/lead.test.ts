import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rpmFormatOf } from '../../../../pipelines/formats/rpm/lead.ts';

test('K6: the format of an RPM package stands in its first bytes', () => {
  // As rpm 6.1 writes them with `%_rpmformat` 4 and 6.
  assert.equal(rpmFormatOf(Uint8Array.of(0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0)), 4);
  assert.equal(rpmFormatOf(Uint8Array.of(0xed, 0xab, 0xee, 0xdb, 4, 0, 0, 0)), 6);
  assert.equal(rpmFormatOf(Uint8Array.of(0xed, 0xab, 0xee, 0xdb, 9)), null);
  assert.equal(rpmFormatOf(Uint8Array.of(0xed, 0xab)), null);
  assert.equal(rpmFormatOf(new TextEncoder().encode('!<arch>')), null);
});
