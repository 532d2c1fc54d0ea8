import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardsOf, hostsOf, urlInside, waysTo } from '../../../../activities/nodes/vm/ways.ts';
import { archivesOf } from '../../../../infra/compose/machines.ts';

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
