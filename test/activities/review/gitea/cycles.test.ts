import type { TestContext } from 'node:test';
import { testForge } from '../../../server/forge.ts';
import { testCycles } from '../cycle.ts';
import { openForge } from './forge.ts';
import { gitea, useGitea } from './site.ts';
import { openWorld } from './world.ts';

if (gitea !== null) {
  const site = useGitea();
  testForge('Gitea', (t) => openForge(t, site()));

  const modes = ['merge', 'rebase', 'squash-merge'] as const;
  testCycles('Gitea', { open: (t) => openWorld(t, site()), modes });

  /** Gitea merges by itself where nobody may tell it what was merged. */
  const openWithoutPush = async (t: TestContext) => {
    const world = await openWorld(t, site());
    for (const project of ['alpha', 'beta']) {
      const more = { has_pull_requests: true, allow_manual_merge: false };
      await site().root.api('PATCH', `/repos/${world.owner}/${project}`, more);
    }
    return world;
  };
  testCycles('Gitea, which merges by itself', { open: openWithoutPush, modes });
}
