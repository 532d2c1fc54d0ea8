import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessError } from '../../../activities/process/run.ts';
import { signingFault } from '../../../activities/sign/signing-key/gnupg/fault.ts';
import { KeyAway, KeyRefused } from '../../../activities/sign/signing-key/port.ts';

const key = 'A'.repeat(40);
const card = { check: async () => {}, refused: async () => {} };
const secret = async () => '123456';

/** What gpg 2.2 says in its status: the upper bits name the program that it comes from. */
const ended = (code: number, said = '') => ({
  code: 2,
  stdout: '',
  stderr: `${said}[GNUPG:] FAILURE sign ${6 * 2 ** 24 + code}\n`,
  timedOut: false,
});

const faults: readonly [what: string, code: number, Kind: typeof KeyRefused, message: RegExp][] = [
  ['a locked card', 130, KeyRefused, /^the card of A{40} is locked after wrong PINs: unblock it \(gpg --card-edit/],
  ['a wrong PIN', 87, KeyRefused, /^the card of A{40} refuses its PIN, and it is not given that one again/],
  ['another card in the reader', 17, KeyRefused, /^A{40} has no secret part in \/srv\/keys$/],
  ['no card', 112, KeyAway, /^the card of A{40} cannot be reached: signing failed: Card not present$/],
  ['a card that was taken out', 109, KeyAway, /^the card of A{40} cannot be reached: /],
  ['no scdaemon', 119, KeyAway, /^the card of A{40} cannot be reached: .*, install scdaemon$/],
];
for (const [what, code, Kind, message] of faults) {
  test(`${what} is told, and what to do`, () => {
    const result = ended(code, 'gpg: signing failed: Card not present\n');
    const found = signingFault({ key, home: '/srv/keys', card, secret }, new ProcessError('gpg', ['--batch'], result));
    assert.ok(found instanceof Error);
    assert.equal(found.constructor, Kind);
    assert.match(found.message, message);
  });
}
