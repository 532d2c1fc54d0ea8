/** What `sluice.yaml` says of connections, one kind for each driver: see `docs/review-systems.md`. */

/** Where a secret is; it is read when it is needed. */
export type SecretReference =
  | { readonly file: string }
  | { readonly env: string }
  /** A credential that systemd hands over. */
  | { readonly credential: string };

/** @throws an error that names the place, never the content. */
export type ReadSecret = (reference: SecretReference) => Promise<string>;

export interface GitSettings {
  readonly driver: 'git';
  /** A host of bare repositories that Sluice does not serve; undefined for Sluice's own. */
  readonly url?: string | undefined;
  /** Milliseconds between two looks. */
  readonly poll?: number | undefined;
  /** For a `url` of HTTP. Default: `sluice`. */
  readonly user?: string | undefined;
  readonly password?: SecretReference | undefined;
  /** Absolute path of the private key, for a `url` of SSH. */
  readonly identity?: string | undefined;
  /** Absolute path. */
  readonly knownHosts?: string | undefined;
  /** What a hook of the host shows when it hints at something new. */
  readonly webhookSecret?: SecretReference | undefined;
  readonly approve?: ApprovalSettings | undefined;
}

export interface GerritSettings {
  readonly driver: 'gerrit';
  /** Web and REST. */
  readonly url: string;
  /** Events and Git: `ssh://USER@HOST:PORT`. */
  readonly ssh: string;
  /** Absolute path of the private key. */
  readonly identity: string;
  /** Absolute path. */
  readonly knownHosts: string;
  /** For REST. Default: the user of `ssh`. */
  readonly user?: string | undefined;
  readonly password?: SecretReference | undefined;
  readonly approve?: ApprovalSettings | undefined;
}

export interface GithubSettings {
  readonly driver: 'github';
  readonly url: string;
  /** Default: `https://api.github.com` for github.com, `URL/api/v3` for Enterprise. */
  readonly api?: string | undefined;
  readonly app?: { readonly id: number; readonly key: SecretReference } | undefined;
  readonly token?: SecretReference | undefined;
  readonly webhookSecret?: SecretReference | undefined;
  readonly approve?: ApprovalSettings | undefined;
}

export interface ForgeSettings {
  readonly driver: 'gitlab' | 'gitea';
  readonly url: string;
  readonly token: SecretReference;
  readonly webhookSecret?: SecretReference | undefined;
  readonly approve?: ApprovalSettings | undefined;
}

/** The label that approves a change for the gate, and its least value where labels have numbers. */
export interface ApprovalSettings {
  readonly label: string;
  readonly value?: number | undefined;
}

/** Whether Sluice is the host itself. */
export function isServed(settings: ConnectionSettings): boolean {
  return settings.driver === 'git' && settings.url === undefined;
}

/** What branches of a connection's projects begin with that are only proposed; undefined where no branch is. */
export function proposalsOf(settings: ConnectionSettings): string | undefined {
  return settings.driver === 'git' && settings.url !== undefined ? 'proposed/' : undefined;
}

/** Whether a change is a branch with all its commits; else one commit. */
export function isOfSeries(settings: ConnectionSettings): boolean {
  return settings.driver !== 'gerrit' && !isServed(settings);
}

export type ConnectionSettings = GitSettings | GerritSettings | GithubSettings | ForgeSettings;
