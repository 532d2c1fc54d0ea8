import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNotInstalled } from '../../../pipelines/nodes/installation.ts';

const shutdown = (reason: string) =>
  `{"QMP": {}}\n{"return": {}}\n{"event": "RTC_CHANGE"}\n{"event": "SHUTDOWN", "data": {"guest": true, "reason": "${reason}"}}\n`;
const end = { events: shutdown('guest-shutdown'), said: '', console: '', limit: 60, late: false };

test('I10: an installation is done when its machine has switched itself off, and not else', () => {
  assert.equal(whyNotInstalled(end), null);
  const cases: readonly [Partial<typeof end>, RegExp][] = [
    [
      { late: true, events: '' },
      /^the installer has not switched the machine off after 60 s .*nothing is on its serial/,
    ],
    [{ late: true, console: 'which disk?\x1b[0m' }, /; the end of its console:\nwhich disk\?\[0m$/],
    [{ events: shutdown('guest-reset'), console: 'panic' }, /^the installer starts the machine anew.*:\npanic$/s],
    [{ events: shutdown('host-signal') }, /^the machine of the installer has ended: host-signal; /],
    [{ events: '', said: 'qemu: no memory\n' }, /^the machine of the installer has ended: qemu: no memory; /],
    [{ events: '' }, /has ended: nobody says why; /],
  ];
  for (const [more, reason] of cases) assert.match(String(whyNotInstalled({ ...end, ...more })), reason);
});

test('I10: the reason ends with the end of a long console alone', () => {
  const reason = whyNotInstalled({ ...end, late: true, console: `${'x'.repeat(5_000)}last` });
  assert.ok(reason !== null && reason.length < 2_200 && reason.endsWith('xlast'));
});
