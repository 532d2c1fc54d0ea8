import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unreadable } from '../../../../activities/nodes/packages/unreadable.ts';

const repositories = [
  { url: 'http://10.0.0.1:8080/released/deb' },
  { url: 'http://10.0.0.1:8080/repositories/test/git-5-1-deb' },
];
const ign = (url: string) =>
  Array.from({ length: 200 }, (_, at) => `Ign:${at + 1} ${url} bookworm InRelease`).join('\n');
const [first = '', second = ''] = repositories.map(({ url }) => url);

const cases: readonly [what: string, output: string, says: string][] = [
  [
    'apt, no answer',
    `${ign(first)}\nErr:201 ${first} bookworm InRelease\n  Could not connect to 10.0.0.1:8080\nReading package lists...\n` +
      `E: Failed to fetch ${first}/dists/bookworm/InRelease  Could not connect to 10.0.0.1:8080\n` +
      'E: Some index files failed to download. They have been ignored, or old ones used instead.\n',
    `E: Failed to fetch ${first}/dists/bookworm/InRelease  Could not connect to 10.0.0.1:8080`,
  ],
  [
    'apt, no Release file',
    `${ign(second)}\nErr:5 ${second} bookworm Release\n  404  Not Found [IP: 10.0.0.1 8080]\n` +
      `E: The repository '${second} bookworm Release' does not have a Release file.\n`,
    `E: The repository '${second} bookworm Release' does not have a Release file.`,
  ],
  [
    'apt, a key that is not there',
    `W: GPG error: ${second} bookworm InRelease: The following signatures couldn't be verified\n` +
      `E: The repository '${second} bookworm InRelease' is not signed.\n`,
    `W: GPG error: ${second} bookworm InRelease: The following signatures couldn't be verified`,
  ],
  [
    'dnf, which names its own number',
    "Errors during downloading metadata for repository 'sluice-1':\n  - Status code: 404 for http://10.0.0.1:8080/x (IP: 10.0.0.1)\n" +
      "Error: Failed to download metadata for repo 'sluice-1': Cannot download repomd.xml\n",
    `${second}: Status code: 404 for http://10.0.0.1:8080/x (IP: 10.0.0.1)`,
  ],
  [
    'dnf5, which names its own number',
    '>>> Curl error (7): Could not connect to server for http://10.0.0.1:8080/x [Failed to connect]\n>>> Usable URL not found\n' +
      `Failed to download metadata (baseurl: "${second}/") for repository "sluice-1": Usable URL not found\n`,
    `${second}: Curl error (7): Could not connect to server for http://10.0.0.1:8080/x [Failed to connect]`,
  ],
  ['nothing that is known', `${ign(first)}\nsomething else\n`, 'something else'],
];
for (const [what, output, says] of cases) {
  test(`F16: ${what}: the repository and the reason, in one line`, () => {
    assert.equal(unreadable(output, repositories), says);
  });
}
