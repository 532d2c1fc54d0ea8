import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { must, run } from '../../../../activities/process/run.ts';
import { usualPatience } from '../../../../activities/review/http.ts';
import { done } from '../../../../infra/gerrit/account.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { titled } from '../../../e2e/gerrit/sluice.ts';
import { testedRequest } from '../tested.ts';
import { openDesk } from './desk.ts';
import { blockPush, connect, type SharedGerrit, sharedGerrit } from './world.ts';

const patience = { ...usualPatience, pause: 5, longestPause: 50, timeout: 20_000 };

/** Puts a project's repository on a file system of two MiB; mounting wants root. */
async function onSmallDisk(t: TestContext, { site, directory }: SharedGerrit, project: string) {
  const repository = join(site.directory, 'git', `${project}.git`);
  const copy = await mkdtemp(join(directory, 'copy-'));
  await cp(repository, copy, { recursive: true });
  await must('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', repository]);
  t.after(() => run('umount', ['--lazy', repository]));
  await cp(copy, repository, { recursive: true });
  const filler = join(repository, 'filler');
  return {
    fill: () => run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k', 'status=none']),
    free: () => rm(filler),
  };
}

const ways = {
  'by a push': /cannot keep a push to full-by-a-push: .*unpacker error/,
  'by Gerrit': /^Gerrit answers 500: /,
} as const;
for (const [way, message] of Object.entries(ways)) {
  test(`a disk that is full at the submit ${way} is a fault of the host, and what was tested lands once there is room`, async (t) => {
    const gerrit = await sharedGerrit();
    const desk = await openDesk(t, gerrit, { project: `full-${way.replaceAll(' ', '-')}` });
    const { host, git } = await connect(t, gerrit, { owns: (project) => project === desk.project, patience });
    const { number } = await desk.propose({ files: { a: '1\n' }, message: titled('Bring a') });
    const change = `review:${number}`;
    if (way === 'by Gerrit') await blockPush(gerrit, desk.project);
    const request = await testedRequest({ host, git }, change);

    const disk = await onSmallDisk(t, gerrit, desk.project);
    await disk.fill();
    await assert.rejects(host.submit(gateActor, request), { name: 'HostAway', message });
    const info = (await done(gerrit.rest('GET', `/changes/${number}`))) as { status: string };
    assert.equal(info.status, 'NEW');
    await disk.free();
    assert.equal((await host.submit(gateActor, request)).kind, 'merged');
  });
}
