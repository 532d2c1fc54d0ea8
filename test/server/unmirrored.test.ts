import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUnmirrored } from '../../server/api/unmirrored.ts';
import { aMirror, aRelease } from './records.ts';

test('a change is told of mirrors that do not show what was released of it', async () => {
  const release = aRelease({ state: 'published', startTime: 10, endTime: 20 });
  const result = { hosts: { near: { error: null }, far: { error: { message: 'connection refused' } } } };
  const tell = (mirrors: readonly ReturnType<typeof aMirror>[], state = release.state) =>
    readUnmirrored(
      {
        store: {
          listReleases: async () => [{ ...release, state }],
          listMirrors: async () => mirrors,
        } as never,
        configuration: { mirrorsOf: (name: string) => (name === 'deb' ? ['web'] : []) } as never,
      },
      'git:1',
    );
  const failed = aMirror({ set: 'web', outcome: 'failed', startTime: 21, result });
  const [told, ...more] = await tell([failed]);
  assert.match(told ?? '', /^The mirrors of the set web do not show what .* has got: .*\(far: connection refused\)/);
  assert.deepEqual(more, []);
  assert.deepEqual(await tell([failed], 'failed'), []);
  assert.deepEqual(await tell([aMirror({ set: 'web', outcome: 'committed', startTime: 22 }), failed]), []);
  assert.deepEqual(await tell([{ ...failed, startTime: 9 }]), [], 'it failed before');
});
