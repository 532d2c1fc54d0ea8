import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readAptSettings } from '../../../infra/images/apt-settings.ts';

test("only the release's own sources are carried over, in either notation, with their keys", async () => {
  const root = await mkdtemp(join(tmpdir(), 'apt-'));
  try {
    await mkdir(join(root, 'sources.list.d'));
    const lines = [
      '# deb http://old.test/debian bookworm main',
      'deb [arch=amd64] http://a.test/debian bookworm main contrib # here',
      'deb-src http://a.test/debian bookworm main',
      'deb http://tools.test nodistro main',
    ];
    await writeFile(join(root, 'sources.list'), lines.join('\n'));
    const stanzas = [
      'Types: deb deb-src\nURIs: http://b.test/debian\nSuites: bookworm bookworm-updates trixie\nComponents: main\nSigned-By: /k.gpg',
      'Types: deb\nURIs: http://off.test\nSuites: bookworm\nComponents: main\nEnabled: no',
      'Types: deb-src\nURIs: http://src.test\nSuites: bookworm\nComponents: main',
    ];
    await writeFile(join(root, 'sources.list.d', 'debian.sources'), stanzas.join('\n\n'));
    await writeFile(join(root, 'preferences'), 'Package: *\nPin: release n=bookworm\nPin-Priority: 900\n');
    const settings = await readAptSettings('bookworm', root);
    assert.deepEqual(settings.sources, [
      'deb [arch=amd64] http://a.test/debian bookworm main contrib',
      'deb [signed-by=/k.gpg] http://b.test/debian bookworm main',
      'deb [signed-by=/k.gpg] http://b.test/debian bookworm-updates main',
    ]);
    assert.match(settings.preferences, /Pin-Priority: 900/);
  } finally {
    await rm(root, { recursive: true });
  }
});
