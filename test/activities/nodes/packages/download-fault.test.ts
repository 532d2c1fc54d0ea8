import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createDockerEngine } from '../../../../activities/nodes/docker/engine.ts';
import { downloadFault } from '../../../../activities/nodes/packages/download-fault.ts';
import { packageManagers } from '../../../../activities/nodes/packages/managers.ts';
import { addRepositories, installPackages } from '../../../../activities/nodes/packages/node.ts';
import { shippedPlatforms } from '../../../../infra/images/platforms.ts';

interface Row {
  readonly says: string;
  readonly output: string;
  readonly fault: string | null;
}

const rows: readonly Row[] = [
  {
    says: 'P14: what dnf says of a plugin of its own is no fault',
    output: [
      "Errors during downloading metadata for repository '_dnf_local':",
      "  - Curl error (37): Couldn't read a file:// file for file:///var/lib/dnf/plugins/local/repodata/repomd.xml",
      "Error: Failed to download metadata for repo '_dnf_local': Cannot download repomd.xml: Cannot download repodata/repomd.xml: All mirrors were tried",
      'Ignoring repositories: _dnf_local',
    ].join('\n'),
    fault: null,
  },
  {
    says: 'apt cannot connect',
    output: [
      'Err:1 http://172.17.0.1:1/x bookworm InRelease',
      '  Could not connect to 172.17.0.1:1 (172.17.0.1). - connect (111: Connection refused)',
      'E: Failed to fetch http://172.17.0.1:1/x/dists/bookworm/InRelease  Could not connect to 172.17.0.1:1',
    ].join('\n'),
    fault: 'E: Failed to fetch http://172.17.0.1:1/x/dists/bookworm/InRelease  Could not connect to 172.17.0.1:1',
  },
  {
    says: 'apt knows no such host',
    output: "E: Failed to fetch http://a.example/b.deb  Temporary failure resolving 'a.example'",
    fault: "E: Failed to fetch http://a.example/b.deb  Temporary failure resolving 'a.example'",
  },
  {
    says: 'apt waits in vain',
    output: 'E: Failed to fetch http://a.example/b.deb  Connection timed out [IP: 192.0.2.1 80]',
    fault: 'E: Failed to fetch http://a.example/b.deb  Connection timed out [IP: 192.0.2.1 80]',
  },
  {
    says: 'apt is refused by an overloaded server',
    output: 'E: Failed to fetch http://a.example/b.deb  503  Service Unavailable [IP: 192.0.2.1 80]',
    fault: 'E: Failed to fetch http://a.example/b.deb  503  Service Unavailable [IP: 192.0.2.1 80]',
  },
  {
    says: 'apt only warns',
    output: 'W: Some index files failed to download. They have been ignored, or old ones used instead.',
    fault: 'W: Some index files failed to download. They have been ignored, or old ones used instead.',
  },
  {
    says: 'dnf cannot read an index',
    output: [
      "Errors during downloading metadata for repository 'sluice-0':",
      "  - Curl error (6): Couldn't resolve host name for http://a.example/repodata/repomd.xml",
      "Error: Failed to download metadata for repo 'sluice-0': Cannot download repomd.xml: All mirrors were tried",
    ].join('\n'),
    fault: "Curl error (6): Couldn't resolve host name for http://a.example/repodata/repomd.xml",
  },
  {
    says: 'dnf5 cannot read an index',
    output: [
      'Updating and loading repositories:',
      '>>> Curl error (7): Could not connect to server for http://127.0.0.1:9/repodata/repomd.xml [Failed to connect]',
      '>>> Usable URL not found',
      'Failed to download metadata (baseurl: "http://127.0.0.1:9/") for repository "sluice-0": Usable URL not found',
    ].join('\n'),
    fault: 'Curl error (7): Could not connect to server for http://127.0.0.1:9/repodata/repomd.xml [Failed to connect]',
  },
  {
    says: 'dnf5 says that an index cannot be read, and no more',
    output:
      'Failed to download metadata (baseurl: "http://a.example/") for repository "sluice-0": Usable URL not found',
    fault: 'Failed to download metadata (baseurl: "http://a.example/") for repository "sluice-0": Usable URL not found',
  },
  {
    says: 'dnf cannot fetch a package',
    output: 'Error: Error downloading packages:\n  Cannot download greeter-1.0-1.noarch.rpm: All mirrors were tried',
    fault: 'Error: Error downloading packages:',
  },
  { says: 'a package that is nowhere is no fault', output: 'E: Unable to locate package greeter', fault: null },
  {
    says: 'nor is a dependency that cannot be met',
    output:
      ' greeter : Depends: nowhere but it is not installable\nE: Unable to correct problems, you have held broken packages.',
    fault: null,
  },
  {
    says: 'nor one of an RPM',
    output: 'Error: \n Problem: conflicting requests\n  - nothing provides nowhere needed by greeter-1.0-1.noarch',
    fault: null,
  },
  {
    says: 'a maintainer script that cannot reach its server is the package’s affair',
    output: [
      'Setting up greeter (1.0) ...',
      'curl: (7) Failed to connect to a.example: Could not connect to server',
      'dpkg: error processing package greeter (--configure):',
      'E: Sub-process /usr/bin/dpkg returned an error code (1)',
    ].join('\n'),
    fault: null,
  },
];

describe('what could not be fetched is told from what cannot be installed', () => {
  for (const { says, output, fault } of rows) test(says, () => assert.equal(downloadFault(output), fault));
});

for (const platform of shippedPlatforms) {
  test(`${platform.format}: a repository that cannot be reached is a fault, not a verdict`, async (t) => {
    const workdir = await mkdtemp(join(tmpdir(), 'sluice-fetch-'));
    const { testImage: image, limits, format } = platform;
    const start = { image, build: 'test-unreachable', network: 'default', limits, privileges: 'default' } as const;
    const machine = await createDockerEngine().start(start);
    t.after(() => Promise.all([machine.remove(), rm(workdir, { recursive: true })]));
    const log = { write() {}, section() {}, close: async () => ({ name: 'log', url: 'none' }) };
    const node = { name: 'node', machine, manager: packageManagers[format], signal: t.signal, log };
    // The discard port of the container itself: nobody answers there.
    const url = 'http://127.0.0.1:9/';
    const repository = { url, codename: format === 'deb' ? 'bookworm' : '', origin: 'test', kind: 'test' } as const;
    const { code } = await addRepositories(node, [repository], { workdir, timeout: 60_000 });
    assert.notEqual(code, 0);
    const installing = installPackages(node, [{ name: 'greeter' }], 60_000);
    await assert.rejects(installing, /^Error: node cannot read its repositories: .*127\.0\.0\.1:9/);
  });
}
