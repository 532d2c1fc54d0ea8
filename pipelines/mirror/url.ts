/** Where a mirror's root is. Paths are decoded; `path` of a daemon is below its module and may be empty. */
export type MirrorUrl = RsyncUrl | SftpUrl;

/** What rsync reaches. */
export type RsyncUrl =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'rsync'; readonly host: string; readonly port: number | null; readonly path: string }
  | Account<'ssh'>;

/** What offers SFTP, and nothing else need be there. */
export type SftpUrl = Account<'sftp'>;

interface Account<Kind extends string> {
  readonly kind: Kind;
  readonly user: string | null;
  readonly host: string;
  readonly port: number | null;
  readonly path: string;
}

/** Reads a root as the configuration holds it. @throws RangeError for what it would have refused. */
export function parseMirrorUrl(text: string): MirrorUrl {
  const match = /^(rsync|ssh|sftp):\/\/(?:([^@/]*)@)?(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/(.*)$/.exec(text);
  if (match === null) {
    if (/^[a-z]+:\/\//.test(text)) throw new RangeError(`${text} is no rsync://, ssh:// or sftp:// URL`);
    return { kind: 'local', path: trim(text) };
  }
  const [, scheme, user, host = '', port, rest = ''] = match;
  const decoded = trim(decodeURIComponent(rest));
  if (host.startsWith('-') || user?.startsWith('-')) throw new RangeError(`${text}: a host cannot begin with "-"`);
  const common = { host, port: port === undefined ? null : Number(port) };
  if (scheme === 'rsync') return { kind: 'rsync', ...common, path: decoded };
  const account = { ...common, user: user === undefined ? null : decodeURIComponent(user), path: `/${decoded}` };
  return scheme === 'sftp' ? { kind: 'sftp', ...account } : { kind: 'ssh', ...account };
}

/** The root as rsync takes it, without a slash at the end. */
export function rsyncRoot(url: RsyncUrl): string {
  if (url.kind === 'local') return url.path;
  if (url.kind === 'rsync') return `rsync://${url.host}${url.port === null ? '' : `:${url.port}`}/${url.path}`;
  return `${url.user === null ? '' : `${url.user}@`}${url.host}:${url.path}`;
}

/** The root as people are told it, without a slash at the end. */
export function sftpRoot({ user, host, port, path }: SftpUrl): string {
  return `sftp://${user === null ? '' : `${user}@`}${host}${port === null ? '' : `:${port}`}${path}`;
}

function trim(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}
