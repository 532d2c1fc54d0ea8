/** Where a project is fetched from and pushed to. */
export interface GitRemote {
  /** As `git fetch` takes it. It holds no secret. */
  readonly url: string;
  /**
   * What git needs in its environment to be let in: read anew for every use, so that no secret is kept, and never
   * shown. An identity's path and known hosts are in `GIT_SSH_COMMAND`, a token in a header by `GIT_CONFIG_*`.
   */
  access(): Promise<Readonly<Record<string, string>>>;
}

/** One that asks for nothing. */
export function openRemote(url: string): GitRemote {
  return { url, access: async () => ({}) };
}
