import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releasedRepositories } from '../../../infra/common/common.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';

const lines = [
  { name: 'deb-trixie', platforms: ['debian-13'], codename: 'trixie' },
  { name: 'deb-security', platforms: ['debian-12'], branches: ['security/*'], codename: 'bookworm-security' },
  { name: 'rpm-13', platforms: ['rpm-debian-13'], codename: '', with: ['rpm'] },
  {
    ...{ name: 'trixie-security', platforms: ['debian-13'], branches: ['security/2'], codename: 'trixie-security' },
    with: ['deb-trixie', 'deb'],
  },
];

/** What a job is offered where everything that may be released is. */
async function offered(platform: string, branch = 'main', released?: Record<string, string | null>) {
  const found = builtInPlatforms.find(({ name }) => name === platform);
  assert.ok(found);
  const trees = {
    current: async () => '000002',
    has: async () => true,
    list: async () => [],
    open: async () => null,
    fetch: async () => {},
    url: async (repository: string, generation = '') => `${repository}/${generation}`,
  };
  const release = { origin: 'Sluice', codename: 'bookworm', lines };
  const offer = { release, released: trees, archiveKey: async () => undefined };
  const view = { build: { branch }, ...(released === undefined ? {} : { released }) };
  const repositories = await releasedRepositories(offer, found, view);
  return repositories.length === 0 ? null : repositories.map(({ url, codename }) => `${url} ${codename}`).join(', ');
}

test('jobs are offered what was released for their platform and branch, and nothing else', async () => {
  assert.equal(await offered('debian-12'), 'deb/ bookworm');
  assert.equal(await offered('debian-13'), 'deb-trixie/ trixie');
  assert.equal(await offered('debian-12', 'security/1.0'), 'deb-security/ bookworm-security');
  assert.equal(await offered('debian-13', 'security/1.0'), 'deb-trixie/ trixie');
  assert.equal(await offered('debian-testing'), null, 'released is for another release of Debian');
  assert.equal(await offered('rpm-debian-12'), 'rpm/ ');
  assert.equal(await offered('rpm-debian-13'), 'rpm-13/ , rpm/ ');
  assert.equal(
    await offered('debian-13', 'security/2'),
    'trixie-security/ trixie-security, deb-trixie/ trixie, deb/ bookworm',
  );
  const seen = { 'trixie-security': null, 'deb-trixie': '000001', deb: null };
  assert.equal(await offered('debian-13', 'security/2', seen), 'deb-trixie/000001 trixie');
});

test('W2: of a line, too, a job sees what its build set saw', async () => {
  assert.equal(
    await offered('debian-13', 'main', { deb: '000001', 'deb-trixie': '000002' }),
    'deb-trixie/000002 trixie',
  );
  assert.equal(await offered('debian-13', 'main', { deb: '000001', 'deb-trixie': null }), null);
});
