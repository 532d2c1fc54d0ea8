/** A Git submodule in the tree of a commit, and where it was fetched from. */
export interface Submodule {
  /** In the tree, as a whole: those in submodules too. */
  readonly path: string;
  /** Of the submodule's own history. */
  readonly commit: string;
  /** A project of Sluice by its name; else the address that it was fetched from. */
  readonly source: string;
}

/** What `.gitmodules` says of one path. */
export interface ModuleEntry {
  readonly url: string;
  /** Whether it asks that nothing is checked out there (`update = none`). */
  readonly empty: boolean;
}

/**
 * Entries of a `.gitmodules`, by path. Of a setting that stands there twice the last counts, as Git has it
 * (gitmodules(5)).
 *
 * @param listing what `git config --null --list` prints of the file
 */
export function readModuleEntries(listing: string): ReadonlyMap<string, ModuleEntry> {
  const settings = new Map<string, Map<string, string>>();
  for (const line of listing.split('\0')) {
    const [, name, key, value] = /^submodule\.([^\n]+)\.([a-z]+)\n(.*)$/s.exec(line) ?? [];
    if (name === undefined || key === undefined || value === undefined) continue;
    const known = settings.get(name) ?? new Map<string, string>();
    settings.set(name, known.set(key, value));
  }
  return new Map(
    [...settings.values()].flatMap((of) => {
      const [path, url] = [of.get('path'), of.get('url')];
      if (path === undefined || url === undefined) return [];
      return [[path.replace(/\/+$/, ''), { url, empty: of.get('update') === 'none' }] as const];
    }),
  );
}

/**
 * The address that a URL of `.gitmodules` stands for: one that begins with `./` or `../` is taken from that of the
 * repository that names it, part by part (git-submodule(1), `add`).
 *
 * @param base the repository's own address
 * @returns null where there are more `../` than the address has parts
 */
export function resolveModuleUrl(base: string, url: string): string | null {
  if (!/^\.\.?\//.test(url)) return url;
  let [site, rest] = [base.replace(/\/+$/, ''), url];
  let separator = '/';
  for (;;) {
    if (rest.startsWith('./')) rest = rest.slice(2);
    else if (rest.startsWith('../')) {
      const [above, between] = cutLast(site);
      if (above === null) return null;
      [site, separator, rest] = [above, between, rest.slice(3)];
    } else return `${site}${separator}${rest}`.replace(/\/$/, '');
  }
}

/** An address without its last part; nothing is cut off a host's own. */
function cutLast(site: string): readonly [above: string | null, separator: '/' | ':'] {
  const [whole, above] = /^(.*[^/])\/+[^/]+$/s.exec(site) ?? [];
  if (whole !== undefined && above !== undefined && !/^[a-z+]+:$/i.test(above)) return [above, '/'];
  const [, host] = /^([^/:]+):[^/]+$/.exec(site) ?? [];
  if (host !== undefined) return [host, ':'];
  return /^\/[^/]+$/.test(site) ? ['', '/'] : [null, '/'];
}

/** An address as Git takes it, in its parts. */
export interface ModuleAddress {
  /** `file` for a path of this machine. */
  readonly transport: string;
  readonly host: string;
  /** Empty where the transport's own is meant. */
  readonly port: string;
  /** Without slashes at its ends, and without `.git`. */
  readonly path: string;
  /** Whether it has a password in it. */
  readonly secret: boolean;
}

/** Reads a URL, the short form `HOST:PATH` of ssh, or a path. @returns null for what Git or a terminal could take for more */
export function readModuleAddress(url: string): ModuleAddress | null {
  if (url === '' || url.length > 2_000 || /^-|[\s\p{Cc}]|%0[0ad]/iu.test(url)) return null;
  const [, helper] = /^([a-z0-9]+)::/i.exec(url) ?? [];
  if (helper !== undefined) return { ...nowhere, transport: helper.toLowerCase(), path: url };
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return readUrl(url);
  const [, host, path] = /^(?:[^/@:]+@)?([^/@:]+):(.*)$/s.exec(url) ?? [];
  if (host !== undefined && path !== undefined)
    return { ...nowhere, transport: 'ssh', host: host.toLowerCase(), path: bare(path) };
  return { ...nowhere, path: bare(url) };
}

const nowhere: ModuleAddress = { transport: 'file', host: '', port: '', path: '', secret: false };

function readUrl(url: string): ModuleAddress | null {
  const parsed = URL.parse(url);
  if (parsed === null) return null;
  const { protocol, hostname, port, pathname, password } = parsed;
  const path = bare(decoded(pathname) ?? '');
  return { transport: protocol.slice(0, -1), host: hostname, port, path, secret: password !== '' };
}

function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

function bare(path: string): string {
  return path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
}

/**
 * What a host calls the repository of an address, where that is on the same host.
 *
 * @param site what is before the name of a repository there
 * @returns null for an address elsewhere
 */
export function nameOnSite(site: string, url: string): string | null {
  const [own, asked] = [readModuleAddress(site), readModuleAddress(url)];
  if (own === null || asked === null || own.host !== asked.host) return null;
  // People write the ssh form of what Sluice reads by http: only the host and the name count then.
  const byOther = asked.transport === 'ssh' && /^https?$/.test(own.transport);
  if (byOther) return asked.path;
  if (own.transport !== asked.transport || own.port !== asked.port) return null;
  if (own.path === '') return asked.path;
  return asked.path.startsWith(`${own.path}/`) ? asked.path.slice(own.path.length + 1) : null;
}
