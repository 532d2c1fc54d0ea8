/** Where a project is fetched from and pushed to. */
export interface GitRemote {
  /** As `git fetch` takes it. It holds no secret. */
  readonly url: string;
  /**
   * What git needs in its environment to be let in: read anew for every use, so that no secret is kept, and never
   * shown. An identity's path and known hosts are in `GIT_SSH_COMMAND`, a token in a header by `GIT_CONFIG_*`.
   */
  access(): Promise<Readonly<Record<string, string>>>;
  /** Of hosts that say what is there for less than a fetch costs. */
  readonly peek?: Peek;
}

/** What a host says of its refs. */
export interface Peek {
  /** Whether a ref names for ever what it names once. */
  isFixed(ref: string): boolean;
  /** What a branch is at now; null where there is no such branch. */
  tip(branch: string): Promise<string | null>;
}

/** One that asks for nothing. */
export function openRemote(url: string): GitRemote {
  return { url, access: async () => ({}) };
}
