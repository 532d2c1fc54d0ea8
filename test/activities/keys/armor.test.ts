import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { armor, dearmor, joinArmored, joinClear, signedAlike } from '../../../activities/keys/armor.ts';

const packets = fc.uint8Array({ maxLength: 200 });

test('armour holds what was put in, for one and for several joined', () => {
  fc.assert(
    fc.property(packets, packets, (one, other) => {
      const texts = [one, other].map((each) => armor('SIGNATURE', each));
      assert.deepEqual(dearmor('SIGNATURE', texts[0] ?? ''), Buffer.from(one));
      assert.deepEqual(dearmor('SIGNATURE', joinArmored('SIGNATURE', texts)), Buffer.concat([one, other]));
      assert.equal(dearmor('PUBLIC KEY BLOCK', texts.join('')).length, 0);
    }),
  );
});

test('it is written as GnuPG writes it, with the checksum that rpm asks for', () => {
  const text = armor('PUBLIC KEY BLOCK', Buffer.from('Sluice'.repeat(9)));
  assert.equal(
    text,
    [
      '-----BEGIN PGP PUBLIC KEY BLOCK-----',
      '',
      'U2x1aWNlU2x1aWNlU2x1aWNlU2x1aWNlU2x1aWNlU2x1aWNlU2x1aWNlU2x1aWNl',
      'U2x1aWNl',
      '=3389',
      '-----END PGP PUBLIC KEY BLOCK-----',
      '',
    ].join('\n'),
  );
  // The checksum of nothing is where RFC 4880 starts.
  assert.match(armor('SIGNATURE', Buffer.alloc(0)), /^=twTO$/m);
});

test('headers, comments and line ends of other programs are read over', () => {
  const text = armor('SIGNATURE', Buffer.from('abc'));
  const other = text.replace('\n\n', '\nVersion: x\nComment: y\n\n').replaceAll('\n', '\r\n');
  assert.deepEqual(dearmor('SIGNATURE', other), Buffer.from('abc'));
});

test('what is signed in clear is joined only where all have signed the same', () => {
  const signed = (text: string, by: string) =>
    `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${text}\n${armor('SIGNATURE', Buffer.from(by))}`;
  const joined = joinClear([signed('text', 'one'), signed('text', 'two')]);
  assert.equal(joined, signed('text', 'onetwo'));
  assert.equal(joinClear([signed('text', 'one')]), signed('text', 'one'));
  const different = [signed('text', 'one'), signed('text', 'two').replace('SHA512', 'SHA256')] as const;
  assert.equal(signedAlike(signed('text', 'one'), signed('text', 'two')), true);
  assert.equal(signedAlike(different[0], different[1]), false);
});
