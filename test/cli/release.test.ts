import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { PlanPreview, ReleasePlanRecord } from '../../activities/report/types.ts';
import type { GiveMetadata } from '../../server/release-metadata.ts';
import { createReleasePlans, type ReleasePlans } from '../../server/release-plans.ts';
import { advisories, group } from '../activities/repository/extra-samples.ts';
import { aBuild } from '../server/records.ts';
import { startServer, type TestServer } from '../server/server.ts';
import { runAt } from './run.ts';

const of = { format: 'deb', name: 'alpha', version: '1.1-1', arch: 'all' };
const plan: ReleasePlanRecord = {
  ...{ id: 'q4', tenant: 'main', state: 'planned', summary: '', startTime: 0, endTime: null },
  builds: [
    {
      ...{
        release: 'r1',
        project: 'lib/alpha',
        branch: 'main',
        change: 'git:7',
        patchset: 2,
        repository: 'deb-stable',
      },
      ...{ platform: 'debian-12', build: 'b7', packages: [of] },
    },
  ],
  deeds: [{ did: 'plan', by: 'ann', time: 0 }],
};
const gained = { repository: 'deb-stable', gains: [{ ...of, replaces: '1.0-1' }], loses: [], refused: null } as const;
const lost = { repository: 'deb-stable', gains: [], loses: [{ ...of, leaves: '1.0-1' }], refused: null } as const;

let asked: unknown[] = [];
let preview: PlanPreview['repositories'] = [];
let refuses = '';
const releasePlans: ReleasePlans = {
  async make({ name: by }, wish, name) {
    asked.push({ by, wish, name });
    return refuses === '' ? plan : { ok: false, reason: refuses };
  },
  list: async () => [plan],
  preview: async ({ plan: name, action }) => {
    asked.push({ name, action });
    return refuses === '' ? { plan: name, action, repositories: preview } : { ok: false, reason: refuses };
  },
  async act({ name: by }, what) {
    asked.push({ by, ...what });
    return refuses === '' ? { plan: what.plan, summary: `${what.action} of it` } : { ok: false, reason: refuses };
  },
  async previewTakingBack(wish) {
    asked.push({ look: wish });
    return { plan: 'change', action: 'revert', repositories: preview };
  },
  async takeBack({ name: by }, wish) {
    asked.push({ by, wish });
    return refuses === '' ? { plan: 'back-git-7-1', summary: 'took it back' } : { ok: false, reason: refuses };
  },
  async remove({ name: by }, plan) {
    asked.push({ by, remove: plan });
    return refuses === '' ? { plan, summary: 'removed it' } : { ok: false, reason: refuses };
  },
};

const giveMetadata: GiveMetadata = async ({ name: by }, repository, wish) => {
  asked.push({ by, repository, ...wish });
  return refuses === '' ? { repository, summary: 'it has them' } : { ok: false, reason: refuses };
};

let server: TestServer;
before(async () => {
  server = await startServer({ releasePlans, giveMetadata });
  await writeFile(join(server.data, 'sluice.yaml'), 'data: .\n');
});
after(() => server.stop());
beforeEach(() => {
  asked = [];
  preview = [{ ...gained, problems: [], unchecked: null, notes: [] }];
  refuses = '';
});

async function run(...args: readonly string[]) {
  const { code, stdout: out, stderr: err } = await runAt(server, ['release', ...args]);
  return { code, out, err };
}

test('release plan asks for everything, or for what is named, and says what comes next', async () => {
  const { code, out } = await run('plan');
  assert.equal(code, 0);
  assert.match(
    out,
    /^plan q4\n.*\ndeb-stable +lib\/alpha +1\.1-1 +git:7,2 +b7\nlook at it: sluice release preview q4\n/,
  );
  await run(
    'plan',
    'q4',
    '--line',
    'deb-stable',
    '--line',
    'rpm-stable',
    '--platform',
    'debian-12',
    '--project',
    'lib/*',
    '--build',
    'b7',
  );
  const wishes = asked.map((one) => (one as { wish: unknown; name: unknown }).wish);
  assert.deepEqual(wishes, [
    { lines: [], platforms: [], projects: [], builds: [], changes: [] },
    {
      ...{ lines: ['deb-stable', 'rpm-stable'], platforms: ['debian-12'], projects: ['lib/*'] },
      ...{ builds: ['b7'], changes: [] },
    },
  ]);
  const told = JSON.parse((await run('plan', '--json')).out);
  assert.deepEqual([told.id, told.startTime], ['q4', '1970-01-01T00:00:00.000Z']);
  const wrong = await run('plan', '../x');
  assert.deepEqual([wrong.code, /a plan is named with a-z/.test(wrong.err)], [2, true]);
});

test('the page lists plans before the newest releases, and not where it is narrowed', async () => {
  const page = await (await fetch(`${server.url}/releases`)).text();
  assert.match(page, /<li id="plan-q4">[\s\S]*planned[\s\S]*deb-stable[\s\S]*alpha 1\.1-1[\s\S]*plan by ann/);
  const narrowed = await (await fetch(`${server.url}/releases?project=lib/alpha`)).text();
  assert.doesNotMatch(narrowed, /plan-q4/);
});

test('release list says what there is, and who did what last', async () => {
  const { out } = await run('list');
  assert.match(out, /q4 .* planned +deb-stable +plan by ann/);
});

test('release preview says what is gained, replaced, lost and broken; 1 where something is wrong', async () => {
  assert.deepEqual(await run('preview', 'q4'), {
    ...{ code: 0, err: '' },
    out: 'deb-stable:\n  + alpha 1.1-1 (all), replaces 1.0-1\n',
  });
  const problem = { kind: 'installability', subject: 'alpha', message: 'needs nowhere' } as const;
  preview = [
    { ...lost, problems: [problem], unchecked: null, notes: ['dropped old 1 (all): alpha 2 builds it no more'] },
  ];
  const back = await run('preview', 'q4', '--revert');
  assert.deepEqual(
    [back.code, back.out],
    [
      1,
      'deb-stable:\n  - alpha 1.1-1 (all), leaves 1.0-1\n  dropped old 1 (all): alpha 2 builds it no more\n' +
        '  installability: alpha: needs nowhere\n',
    ],
  );
  preview = [{ ...gained, gains: [], problems: [], refused: 'alpha is older', unchecked: null, notes: [] }];
  assert.deepEqual((await run('preview', 'q4')).out, 'deb-stable: refused: alpha is older\n');
  assert.deepEqual(asked, [
    { name: 'q4', action: 'commit' },
    { name: 'q4', action: 'revert' },
    { name: 'q4', action: 'commit' },
  ]);
});

for (const action of ['commit', 'revert'] as const) {
  test(`release ${action} tells who asks, and ends with 1 and the reason where it is refused`, async () => {
    const done = await run(action, 'q4');
    assert.deepEqual(done, { code: 0, out: `${action} of it\n`, err: '' });
    refuses = 'make a new plan';
    const no = await run(action, 'q4', '--json');
    assert.deepEqual([no.code, JSON.parse(no.err)], [1, { error: 'make a new plan', status: 1 }]);
    const [{ by }] = asked as [{ by: string }];
    assert.deepEqual([asked[0], by !== ''], [{ by, plan: 'q4', action }, true]);
  });
}

test('what is released of a change is taken back without a plan, and looked at before', async () => {
  await server.store.saveBuild(aBuild({ change: 'git:7' }));
  const back = await run('revert', '--change', 'git:7', '--line', 'deb-stable', '--line', 'rpm-stable');
  assert.deepEqual(back, { code: 0, out: 'took it back\n', err: '' });
  preview = [{ ...lost, problems: [], unchecked: null, notes: [] }];
  const looked = await run('preview', '--revert', '--change', 'git:7', '--line', 'deb-stable');
  assert.deepEqual(looked, { code: 0, out: 'deb-stable:\n  - alpha 1.1-1 (all), leaves 1.0-1\n', err: '' });
  await run('preview', '--revert', '--change', 'git:7');
  const [{ by }] = asked as [{ by: string }];
  assert.deepEqual(asked, [
    { by, wish: { change: 'git:7', lines: ['deb-stable', 'rpm-stable'] } },
    { look: { change: 'git:7', lines: ['deb-stable'] } },
    { look: { change: 'git:7', lines: [] } },
  ]);
  for (const wrong of [['revert'], ['revert', 'q4', '--change', '7'], ['revert', 'q4', '--line', 'deb-stable']]) {
    assert.deepEqual([(await run(...wrong)).code, asked.length], [2, 3]);
  }
  assert.equal((await run('preview', '--change', 'git:7')).code, 2);
});

test('release remove forgets a plan, or says why not', async () => {
  assert.deepEqual(await run('remove', 'q4'), { code: 0, out: 'removed it\n', err: '' });
  refuses = 'the release plan q4 is published';
  const no = await run('remove', 'q4');
  assert.deepEqual([no.code, no.err], [1, 'the release plan q4 is published\n']);
});

const rules = {
  codename: 'bookworm',
  lines: [
    { name: 'deb-stable', platforms: ['debian-12'], codename: 'bookworm', publish: 'planned' },
    { name: 'deb-hotfix', platforms: ['debian-13'], codename: 'trixie' },
  ],
} as const;
const no = () => Promise.reject(new Error('it was asked for'));
const nothing = { refused: 'nothing waits' };
const book = {
  ...{ make: async () => nothing, look: async () => nothing, remove: async () => null },
  ...{ makeReleased: async () => nothing, lookAtChange: async () => nothing },
};
const real = createReleasePlans({
  ...{ client: undefined as never, tenant: 'main', book, rules, platforms: ['debian-12', 'debian-13'] },
  ...{ list: no, preview: no },
});

test('a plan of a line that is not there is refused with those that are, and of one that waits for nobody with why', async () => {
  const ann = { name: 'ann', kind: 'person', via: 'token' } as const;
  const none = { platforms: [], projects: [], builds: [], changes: [] };
  await assert.rejects(real.make(ann, { ...none, lines: ['deb-stable', 'nosuch'] }), {
    name: 'UnknownName',
    message: 'there is no line nosuch; there are: deb, deb-hotfix, deb-stable, rpm',
  });
  await assert.rejects(real.make(ann, { ...none, lines: [], platforms: ['debian-11'] }), {
    name: 'UnknownName',
    message: 'there is no platform debian-11; there are: debian-12, debian-13',
  });
  const reason = 'nothing waits; what is merged into deb-hotfix is shown at once';
  assert.deepEqual(await real.make(ann, { ...none, lines: ['deb-hotfix'] }), { ok: false, reason });
  assert.deepEqual(await real.make(ann, { ...none, lines: ['deb-stable'] }), { ok: false, reason: 'nothing waits' });
});

test('S3: only people plan releases, carry them out, take them back and remove plans', async () => {
  const worker = { name: 'w', kind: 'worker', via: 'token' } as const;
  for (const denied of [
    real.make(worker, { lines: [], platforms: [], projects: [], builds: [], changes: [] }),
    real.act(worker, { plan: 'q4', action: 'commit' }),
    real.act(worker, { plan: 'q4', action: 'revert' }),
    real.remove(worker, 'q4'),
    real.takeBack(worker, { change: 'git:7', lines: [] }),
  ])
    await assert.rejects(denied, { name: 'Denied' });
});

test('release metadata sends the files unpacked, and says what came of it', async () => {
  const [updateinfo, comps] = [advisories('SLU-1', ...Array(2000).fill('alpha 1 1')), group('tools', 'alpha')];
  await writeFile(join(server.data, 'u.xml.gz'), gzipSync(updateinfo.text));
  await writeFile(join(server.data, 'c.xml'), comps.text);
  const files = ['--updateinfo', 'u.xml.gz', '--comps', 'c.xml'];
  const { code, out, err } = await run('metadata', 'rpm', ...files, '--remove', 'modules');
  assert.deepEqual([code, out], [0, 'it has them\n'], err);
  const given = [
    { ...comps, from: 'c.xml' },
    { ...updateinfo, from: 'u.xml.gz' },
  ];
  assert.deepEqual(asked, [{ by: 'ada', repository: 'rpm', given, remove: ['modules'] }]);
  refuses = 'u.xml.gz:7: <a> is not closed';
  const refused = await run('metadata', 'rpm', ...files);
  assert.deepEqual([refused.code, refused.err], [1, `${refuses}\n`]);
  assert.equal((await run('metadata', 'rpm')).code, 2);
});
