import { run } from '../activities/process/run.ts';
import { createGitHost } from '../activities/review/git/adapter.ts';
import { loadConfig } from '../infra/config/load.ts';
import { gitHostSettings } from '../infra/git-host/settings.ts';
import type { Forge, RunSluice } from './forge.ts';

/** Sluice's own Git host. @param config path of the stack's sluice.yaml */
export function ownForge(config: string, sluice: RunSluice): Forge {
  const host = createGitHost(gitHostSettings(loadConfig({ file: config })));
  const remote = (project: string) => host.gitRemote(project).url;
  return {
    remote,
    enroll: async (name, tree) => void (await sluice('project', 'add', name, tree, '--queue', 'core')),
    nameOf: async (project, changeId) => `git:${project}/${changeId}`,
    approve: async ({ id }) => void (await sluice('approve', id)),
    lineComments: async () => null,
    async answers({ project, ref }) {
      const meta = ref.replace(/[^/]+$/, 'meta');
      const log = await run('git', [`--git-dir=${remote(project)}`, 'log', '--reverse', '--format=%b', meta]);
      return log.stdout.split('\n').flatMap((line) => commentIn(line));
    },
  };
}

/** The comment of an event, as the built-in host writes it down. */
function commentIn(line: string): readonly string[] {
  if (!line.startsWith('{')) return [];
  const { event } = JSON.parse(line) as { readonly event: { readonly comment: string | null } };
  return event.comment === null ? [] : [event.comment];
}
