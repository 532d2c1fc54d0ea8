import { checkProject } from '../../git/names.ts';
import type { GitRemote } from '../../git/remote.ts';
import type { GitSettings, ReadSecret } from '../settings.ts';
import { sshEnvironment } from '../ssh-command.ts';
import { openTokenRemote } from '../token-remote.ts';

export type UrlSettings = GitSettings & { readonly url: string };

/** Whether the host is a directory of this machine, which can be listed. */
export function directoryOf(url: string): string | null {
  if (url.startsWith('file://')) return decodeURIComponent(new URL(url).pathname);
  return url.includes('://') ? null : url;
}

/**
 * Where a project of a host of bare repositories is: `URL/PROJECT.git` over HTTP; elsewhere git itself finds
 * `PROJECT.git` and `PROJECT`. @throws BadName
 */
export function openPlainRemote(settings: UrlSettings, readSecret: ReadSecret, project: string): GitRemote {
  const { url, user = 'sluice', password, identity, knownHosts } = settings;
  const at = `${directoryOf(url) ?? url}/${checkProject(project)}`;
  if (/^https?:/.test(url)) {
    if (password !== undefined) return openTokenRemote({ url, user, token: () => readSecret(password) }, project);
    return { url: [at, '.git'].join(''), access: async () => ({}) };
  }
  if (url.startsWith('ssh:') && identity !== undefined && knownHosts !== undefined) {
    return { url: at, access: () => sshEnvironment({ identity, knownHosts }) };
  }
  return { url: at, access: async () => ({}) };
}
