import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isServerAway } from '../../../../activities/nodes/packages/download-fault.ts';

const outputs: readonly (readonly [output: string, away: boolean])[] = [
  [
    'E: Failed to fetch http://r.example/dists/x/InRelease  Could not connect to r.example:80 (192.0.2.1). - connect (111: Connection refused)',
    true,
  ],
  ["E: Failed to fetch http://r.example/dists/x/InRelease  Temporary failure resolving 'r.example'", true],
  ['E: Failed to fetch http://r.example/dists/x/InRelease  503  Service Unavailable [IP: 192.0.2.1 80]', true],
  ["  - Curl error (7): Couldn't connect to server for http://r.example/repodata/repomd.xml [Failed to connect]", true],
  ['  - Status code: 502 for http://r.example/repodata/repomd.xml (IP: 192.0.2.1)', true],
  ['  - Curl error (28): Timeout was reached for http://r.example/repodata/repomd.xml', true],
  ['E: Failed to fetch http://r.example/dists/x/InRelease  404  Not Found [IP: 192.0.2.1 80]', false],
  ['  - Status code: 404 for http://r.example/repodata/repomd.xml (IP: 192.0.2.1)', false],
  ["E: The repository 'http://r.example x Release' does not have a Release file.", false],
  ['  - Status code: 503 for http://a.example/x\n  - Status code: 404 for http://b.example/x', false],
];
for (const [output, away] of outputs) {
  test(`A-062: "${output.trim().slice(0, 100)}" is ${away ? 'a server that is away' : 'the request’s own fault'}`, () => {
    assert.equal(isServerAway(output), away);
  });
}
