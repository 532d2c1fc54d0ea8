import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardsOf, hostsOf, urlInside, waysTo } from '../../../../activities/nodes/vm/ways.ts';
import { archivesOf, reachedFrom } from '../../../../infra/common/machines.ts';
import { parseConfig } from '../../../../infra/config/load.ts';
import { allPlatforms } from '../../../../infra/config/platforms.ts';

test('what must be reached for URLs, each host and port once', () => {
  const urls = ['http://deb.example.org/debian', 'http://deb.example.org/security', 'https://deb.example.org/x'];
  assert.deepEqual(waysTo([...urls, 'http://172.17.0.1:8080/repositories/']), [
    { host: 'deb.example.org', port: 80 },
    { host: 'deb.example.org', port: 443 },
    { host: '172.17.0.1', port: 8080 },
  ]);
  assert.throws(() => waysTo(['file:///srv/debian']), /^Error: file:\/\/\/srv\/debian cannot be reached/);
});

test('a host has one address in a machine, whatever the port, and an address has a name', () => {
  const ways = waysTo(['http://deb.example.org/', 'https://deb.example.org/', 'http://172.17.0.1:8080']);
  assert.equal(hostsOf(ways), '10.0.2.100 deb.example.org\n10.0.2.101 172-17-0-1.sluice.internal\n');
  assert.deepEqual(forwardsOf(ways, 'forward'), [
    'guestfwd=tcp:10.0.2.100:80-cmd:perl forward deb.example.org 80',
    'guestfwd=tcp:10.0.2.100:443-cmd:perl forward deb.example.org 443',
    'guestfwd=tcp:10.0.2.101:8080-cmd:perl forward 172.17.0.1 8080',
  ]);
});

for (const [url, inside] of [
  ['http://172.17.0.1:8080/repositories/test/x', 'http://172-17-0-1.sluice.internal:8080/repositories/test/x'],
  ['http://[fd00::1]:8080/x/', 'http://fd00--1.sluice.internal:8080/x/'],
  ['http://172.17.0.1', 'http://172-17-0-1.sluice.internal'],
  ['http://sluice.example.org/x', 'http://sluice.example.org/x'],
] as const) {
  test(`inside of a machine ${url} is ${inside}`, () => assert.equal(urlInside(url), inside));
}

test('machines reach the archives that their image came from, or the proxy before them', () => {
  const sources = ['deb [signed-by=/k] http://a.example.org/debian bookworm main', 'deb http://a.example.org/x y z'];
  assert.deepEqual(archivesOf({ sources, config: '' }), ['http://a.example.org']);
  assert.deepEqual(archivesOf({ sources: [], config: '' }), []);
  const config = 'Acquire::http::Proxy "http://proxy:3128/";\nAcquire::Retries "3";';
  assert.deepEqual(archivesOf({ sources, config }), ['http://proxy:3128']);
});

const settings = (text: string) => parseConfig({ path: 'sluice.yaml', text, directory: '/', env: {} });

test('I10: machines reach this server, the archives of their releases, and the mirrors that are named, each once', async () => {
  const mirrors = '[https://pool.example.org/debian, https://pool.example.org/x, http://a.example.org:81/]';
  const config = settings(
    `{platforms: {p: {format: deb, codename: c, provider: vm}}, nodes: {vm: {mirrors: ${mirrors}}}}`,
  );
  const read = async (codename: string) => ({ sources: [`deb http://${codename}.example.org/d c main`], config: '' });
  const reach = {
    platforms: allPlatforms(config),
    mirrors: config.nodes.vm.mirrors,
    server: async () => 'http://s:8080/',
  };
  const urls = await reachedFrom(reach, async (codename) => ({ ...(await read(codename)), preferences: '' }));
  assert.deepEqual(waysTo(urls), [
    { host: 's', port: 8080 },
    { host: 'c.example.org', port: 80 },
    { host: 'pool.example.org', port: 443 },
    { host: 'a.example.org', port: 81 },
  ]);
});

test('I10: a mirror that is no HTTP URL is refused where it stands', () => {
  assert.throws(
    () => settings('nodes: {vm: {mirrors: [rsync://pool.example.org/debian]}}'),
    /sluice\.yaml:1:24: nodes\.vm\.mirrors\.0: /,
  );
});
test('I10: machines of RPM packages reach the archive that theirs were made of, and those of a given disk none', async () => {
  const config = settings(`platforms:
  made: {format: rpm, codename: deb13, provider: vm}
  given: {format: rpm, codename: el9, provider: vm, image: {file: d}}
`);
  const read = async (codename: string) => {
    return { sources: [`deb http://${codename}.example.org/d ${codename} main`], config: '', preferences: '' };
  };
  const reach = { platforms: allPlatforms(config), mirrors: [], server: async () => 'http://s' };
  assert.deepEqual(await reachedFrom(reach, read), ['http://s', 'http://trixie.example.org']);
});
