/** Where a mirror's root is. Paths are decoded; `path` of a daemon is below its module and may be empty. */
export type MirrorUrl =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'rsync'; readonly host: string; readonly port: number | null; readonly path: string }
  | {
      readonly kind: 'ssh';
      readonly user: string | null;
      readonly host: string;
      readonly port: number | null;
      readonly path: string;
    };

/** Reads a root as the configuration holds it. @throws RangeError for what it would have refused. */
export function parseMirrorUrl(text: string): MirrorUrl {
  const match = /^(rsync|ssh):\/\/(?:([^@/]*)@)?(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/(.*)$/.exec(text);
  if (match === null) {
    if (/^[a-z]+:\/\//.test(text)) throw new RangeError(`${text} is no rsync:// or ssh:// URL`);
    return { kind: 'local', path: trim(text) };
  }
  const [, scheme, user, host = '', port, rest = ''] = match;
  const decoded = trim(decodeURIComponent(rest));
  if (host.startsWith('-') || user?.startsWith('-')) throw new RangeError(`${text}: a host cannot begin with "-"`);
  const common = { host, port: port === undefined ? null : Number(port) };
  if (scheme === 'rsync') return { kind: 'rsync', ...common, path: decoded };
  return { kind: 'ssh', ...common, user: user === undefined ? null : decodeURIComponent(user), path: `/${decoded}` };
}

/** The root as rsync takes it, without a slash at the end. */
export function rsyncRoot(url: MirrorUrl): string {
  if (url.kind === 'local') return url.path;
  if (url.kind === 'rsync') return `rsync://${url.host}${url.port === null ? '' : `:${url.port}`}/${url.path}`;
  return `${url.user === null ? '' : `${url.user}@`}${url.host}:${url.path}`;
}

function trim(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}
