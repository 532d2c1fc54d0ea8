import { exists } from '../files/exists.ts';
import { askHost } from './fetch.ts';
import type { BringModules } from './modules.ts';
import { isObjectId, repositoryPath } from './names.ts';
import type { Sources } from './port.ts';
import { hasCommit } from './refs.ts';
import type { GitRemote } from './remote.ts';
import { openRepositories } from './repositories.ts';
import { expireStates, keepStates, stateRef } from './states.ts';
import { makeWhole } from './whole.ts';

export interface ServerSourcesOptions {
  /** Of this machine's repositories: what was fetched once is not fetched again. */
  readonly directory: string;
  /** Where the server is reached, without a slash at the end. */
  readonly url: string;
  /** The worker's token, read at every fetch. */
  readonly token: () => Promise<string>;
  /** File with the certificates that may have signed the server's; absent: those that Git knows. */
  readonly ca?: string | undefined;
  /** What a branch is at, as the server knows it; null where there is none. */
  readonly branchTip: Sources['branchTip'];
  /** Has the server bring the submodules of a commit into the project's repository there. */
  readonly modules: BringModules;
}

/** Brings commits from the server into bare repositories of this machine, and works with them there. */
export function createSourcesFromServer(options: ServerSourcesOptions): Sources {
  const { directory, url, token, ca, branchTip, modules } = options;
  const at = (project: string) => repositoryPath(directory, project);
  const remote = (project: string) => remoteOf({ url, token, ca }, project);
  const waiting = new Map<string, Promise<void>>();
  const bring = async (project: string, commit: string) => {
    if (!isObjectId(commit)) throw new Error(`not a commit id: ${commit}`);
    const before = waiting.get(project) ?? Promise.resolve();
    const fetching = before
      .catch(() => {})
      .then(() => fetchCommit(at(project), { project, commit, remote: remote(project) }));
    waiting.set(project, fetching);
    await fetching;
  };
  const here = openRepositories(at, async (project, commit, signal) => {
    const there = await modules(project, commit, signal);
    for (const module of there) await bring(project, module.commit);
    return there;
  });
  return {
    branchTip,
    async resolve(project, revision) {
      await bring(project, revision);
      return here.resolve(project, revision);
    },
    async exportTree(state, tree, signal) {
      await bring(state.project, state.commit);
      return here.exportTree(state, tree, signal);
    },
  };
}

/** A project of the server: the token travels in a header, and is in no address and no file. */
export function remoteOf(
  { url, token, ca }: Pick<ServerSourcesOptions, 'url' | 'token' | 'ca'>,
  project: string,
): GitRemote {
  return {
    url: `${url}/api/worker/git/${project}.git`,
    access: async () => ({
      ...(ca === undefined ? {} : { GIT_SSL_CAINFO: ca }),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.extraHeader',
      GIT_CONFIG_VALUE_0: `Authorization: Bearer ${await token()}`,
    }),
  };
}

interface Wanted {
  readonly project: string;
  readonly commit: string;
  readonly remote: GitRemote;
}

/** Tags come anew each time, for versions are derived from them; a commit that is here is not asked for again. */
async function fetchCommit(repo: string, { project, commit, remote }: Wanted): Promise<void> {
  if (!(await exists(repo))) await makeWhole(repo);
  const known = await hasCommit(repo, commit);
  const refs = ['+refs/tags/*:refs/tags/*', ...(known ? [] : [`+${commit}:${stateRef(commit)}`])];
  const options = ['--quiet', '--prune', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'];
  const args = ['fetch', ...options, '--end-of-options', remote.url, ...refs];
  await askHost(repo, { host: 'the server', project, remote }, { args });
  if (known) await keepStates(repo, [commit]);
  await expireStates(repo, { now: Date.now() });
}
