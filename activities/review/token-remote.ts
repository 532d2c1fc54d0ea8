import type { GitRemote } from '../git/remote.ts';

interface TokenSite {
  /** Without a slash at its end. */
  readonly url: string;
  /** The name that goes with a token. */
  readonly user: string;
  readonly token: () => Promise<string>;
}

/** By HTTP, with the token in a header: neither a command line nor a repository's configuration shows it. */
export function openTokenRemote({ url, user, token }: TokenSite, project: string): GitRemote {
  return {
    url: [url, `/${project}`, '.git'].join(''),
    async access() {
      const basic = Buffer.from(`${user}:${await token()}`).toString('base64');
      return {
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: `http.${url}/.extraHeader`,
        GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
      };
    },
  };
}
