import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { listingOf } from '../../server/files/listing.ts';

const entry = (name: string, href: string) => ({ name, href, extendedInfo: undefined, stats: undefined }) as never;

test('F8: a repository page has a way back, the line for clients by an address that others can use, and the key', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-listing-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'deb/dists/bookworm'), { recursive: true });
  for (const name of ['rpm', 'rpm-13']) mkdirSync(join(root, name, 'repodata'), { recursive: true });
  writeFileSync(join(root, 'deb/archive-key.asc'), '');
  const render = listingOf({ root, prefix: '/released/', url: 'https://sluice.example.org', id: 'released' });
  const deb = render(
    [entry('dists', '/released/deb/dists')],
    [entry('archive-key.asc', '/released/deb/archive-key.asc')],
  );
  assert.match(deb, /<a href="\/">Sluice<\/a> › <a href="\/released\/">released<\/a>/);
  assert.match(deb, /curl -o \S+ https:\/\/sluice\.example\.org\/released\/deb\/archive-key\.asc/);
  assert.match(deb, /deb \[signed-by=\S+\] https:\/\/sluice\.example\.org\/released\/deb bookworm main/);
  const rpm = render([entry('repodata', '/released/rpm/repodata')], []);
  assert.match(
    rpm,
    /\[released\]\nname=released\nbaseurl=https:\/\/sluice\.example\.org\/released\/rpm\nenabled=1\ngpgcheck=0/,
  );
  const line = render([entry('repodata', '/released/rpm-13/repodata')], []);
  assert.match(
    line,
    /\[released-rpm-13\]\nname=released-rpm-13\nbaseurl=\S+\/released\/rpm-13\n/,
    'a client may have both',
  );
  const top = render([entry('deb', '/released/deb'), entry('rpm', '/released/rpm')], []);
  assert.doesNotMatch(top, /<pre>/);
  assert.match(top, /<h1>released<\/h1>/);
});
