import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withinLines } from '../../../activities/jobs/within-lines.ts';
import type { StageActivities } from '../../../activities/stages.ts';
import type { ProvidedArtifact } from '../../../pipelines/model/job.ts';
import type { ReleaseRules } from '../../../pipelines/model/release-line.ts';
import type { StageInput, StageResult } from '../../../workflows/contract.ts';

const rules: ReleaseRules = {
  codename: 'bookworm',
  lines: [
    { name: 'deb-security', platforms: ['d'], branches: ['security/*'], codename: 'security', with: ['deb'] },
    { name: 'rpm-new', platforms: ['r'], codename: '' },
  ],
};

interface Made {
  readonly branch?: string;
  readonly platform?: string;
  readonly type?: string;
}

function made(change: string, { branch, platform = 'd', type = 'test-repository' }: Made): ProvidedArtifact {
  const format = platform === 'd' ? 'deb' : 'rpm';
  const metadata = { type, format, platform, codename: '', project: 'lib', manifest: `sha256:${'0'.repeat(64)}` };
  const from = { project: 'lib', change, patchset: 1, job: 'publish', ...(branch === undefined ? {} : { branch }) };
  return { name: 'test-repository', url: `http://sluice.test/${change}/`, metadata, ...from };
}

async function offered(branch: string, provided: readonly ProvidedArtifact[], result: StageResult['result']) {
  const given: string[] = [];
  const run = async (input: StageInput): Promise<StageResult> => {
    given.push(...input.provided.map(({ change }) => change));
    return { result, summary: '', artifacts: [], remarks: ['its own'] };
  };
  const stages = { runStage: run, resumeStage: ({ stage }) => run(stage) } as StageActivities;
  const input = { build: { branch }, provided } as unknown as StageInput;
  const lined = withinLines(stages, rules);
  const { remarks } = await lined.runStage(input);
  await lined.resumeStage({ stage: input } as Parameters<typeof lined.resumeStage>[0]);
  assert.deepEqual(given.slice(given.length / 2), given.slice(0, given.length / 2), 'what is resumed sees the same');
  return { given: given.slice(given.length / 2), remarks };
}

const main = made('A', { branch: 'main' });
const fix = made('B', { branch: 'security/1' });
const unnamed = made('C', {});
const program = made('D', { branch: 'security/1', type: 'log' });

const rows: [says: string, branch: string, provided: readonly ProvidedArtifact[], expected: string[]][] = [
  ['packages for its own line are offered to a job', 'main', [main], ['A']],
  ['packages for a line that it does not see are not', 'main', [main, fix], ['A']],
  ['packages for a line that its own goes with are', 'security/2', [main, fix], ['A', 'B']],
  ['what older versions passed on is offered as by them', 'main', [unnamed], ['C']],
  ['what is no test repository goes into no line', 'main', [program], ['D']],
  [
    'a line is looked for on the platform that packages were built for',
    'main',
    [made('E', { branch: 'security/1', platform: 'r' })],
    ['E'],
  ],
];
for (const [says, branch, provided, expected] of rows) {
  test(says, async () => assert.deepEqual((await offered(branch, provided, 'SUCCESS')).given, expected));
}

test('a failed job says which changes it was not offered packages of, and one that succeeds does not', async () => {
  const remarks = ['its own', 'Not offered: packages of B,1, which go into deb-security; here deb counts.'];
  assert.deepEqual((await offered('main', [main, fix, fix], 'FAILURE')).remarks, remarks);
  assert.deepEqual((await offered('main', [main, fix], 'SUCCESS')).remarks, ['its own']);
});
