import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchFault } from '../../../activities/git/fetch-fault.ts';

const faults: readonly (readonly [stderr: string, said: string, mayPass: boolean])[] = [
  [
    "fatal: unable to access 'http://127.0.0.1:9/t.git/': Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server",
    "unable to access 'http://127.0.0.1:9/t.git/': Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server",
    true,
  ],
  [
    "fatal: unable to access 'http://h.example/t/': Could not resolve host: h.example",
    "unable to access 'http://h.example/t/': Could not resolve host: h.example",
    true,
  ],
  [
    "fatal: unable to access 'http://h.example/t/': The requested URL returned error: 503",
    "unable to access 'http://h.example/t/': The requested URL returned error: 503",
    true,
  ],
  [
    'error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\nfatal: error reading section header',
    'error reading section header',
    true,
  ],
  ["fatal: repository 'http://h.example/503/' not found", "repository 'http://h.example/503/' not found", false],
  [
    "fatal: unable to access 'http://h.example/t/': The requested URL returned error: 403",
    "unable to access 'http://h.example/t/': The requested URL returned error: 403",
    false,
  ],
  [
    'fatal: dumb http transport does not support shallow capabilities',
    'dumb http transport does not support shallow capabilities',
    false,
  ],
  ["fatal: couldn't find remote ref nosuch", "couldn't find remote ref nosuch", false],
  ["fatal: cannot use '/srv/sluice/work/tests-0.git' here", "cannot use '…' here", false],
];
for (const [stderr, said, mayPass] of faults) {
  test(`A-066: git's "${said}" is ${mayPass ? '' : 'not '}tried again`, () => {
    const result = { code: 128, stdout: '', stderr: `${stderr}\n`, timedOut: false };
    assert.deepEqual(fetchFault({ result }), { said, mayPass });
  });
}
