import { userInfo } from 'node:os';
import { join } from 'node:path';
import { must } from '../../activities/process/run.ts';
import { freePort } from '../stack/ports.ts';

/** A Gerrit's directory, and where it will answer. */
export interface GerritSite {
  readonly directory: string;
  readonly httpPort: number;
  readonly sshPort: number;
  /** Without a slash at the end. */
  readonly url: string;
}

export interface SiteAddress {
  /** Default: free ones. */
  readonly httpPort?: number;
  readonly sshPort?: number;
  /** More keys of `gerrit.config`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Writes where a site's server answers, and how; it listens on this machine alone. */
export async function configure(directory: string, options: SiteAddress): Promise<GerritSite> {
  const { httpPort = await freePort(), sshPort = await freePort(), config = {} } = options;
  const url = `http://127.0.0.1:${httpPort}`;
  const settings = {
    'gerrit.basePath': 'git',
    'gerrit.canonicalWebUrl': `${url}/`,
    'cache.directory': 'cache',
    'auth.type': 'DEVELOPMENT_BECOME_ANY_ACCOUNT',
    'index.type': 'LUCENE',
    'httpd.listenUrl': `${url}/`,
    'sshd.listenAddress': `127.0.0.1:${sshPort}`,
    'sendemail.enable': 'false',
    'receive.enableSignedPush': 'false',
    'receive.autogc': 'false',
    'container.user': userInfo().username,
    'container.javaHome': '/usr',
    ...config,
  };
  for (const [key, value] of Object.entries(settings)) {
    await must('git', ['config', '--file', join(directory, 'etc', 'gerrit.config'), key, value]);
  }
  return { directory, httpPort, sshPort, url };
}
