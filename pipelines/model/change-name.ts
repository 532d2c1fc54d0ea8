/** How people call changes, whatever review system has them. */

/** A connection as the configuration has it. */
export interface NamedConnection {
  readonly name: string;
  readonly driver: string;
  /** Where the review system is, for drivers that have one. */
  readonly url?: string;
}

/** Where a change may be, and what it is called there. */
export interface ChangePlace {
  readonly connection: string;
  readonly name: string;
}

/** `OWNER/NAME#17`, `GROUP/NAME!17`: only these drivers write changes so. */
const marks: Readonly<Record<string, readonly string[]>> = { '#': ['github', 'gitea'], '!': ['gitlab'] };

/**
 * The connections on which a change may go by a name: `CONNECTION:NAME` says which; the address of a page belongs to
 * whose it is; `OWNER/NAME#17` and `GROUP/NAME!17` to the hosts that write changes so; a number, `PROJECT/NUMBER` and
 * a Change-Id to all others. A bare number is good wherever only one of them has it.
 */
export function placesOf(text: string, connections: readonly NamedConnection[]): readonly ChangePlace[] {
  const given = text.trim();
  if (given === '') return [];
  if (/^https?:\/\//i.test(given)) return placesOfPage(given, connections);
  const named = connections.find(({ name }) => given.startsWith(`${name}:`));
  if (named !== undefined) return [{ connection: named.name, name: given.slice(named.name.length + 1) }];
  const mark = /^[^#!]+\/[^#!]+([#!])[1-9]\d*$/.exec(given)?.[1];
  const drivers = mark === undefined ? undefined : marks[mark];
  const number = /^[1-9]\d*$/.test(given);
  const several = Object.values(marks).flat();
  return connections
    .filter(({ driver }) => (drivers === undefined ? number || !several.includes(driver) : drivers.includes(driver)))
    .map(({ name }) => ({ connection: name, name: given }));
}

/** Sluice's own pages are at `/change/ID`; a host's pages are read by its adapter. */
function placesOfPage(address: string, connections: readonly NamedConnection[]): readonly ChangePlace[] {
  const owners = connections.filter(({ url }) => url !== undefined && isBelow(address, url));
  if (owners.length > 0) return owners.map(({ name }) => ({ connection: name, name: address }));
  const id = /^https?:\/\/[^/]+\/change\/([^/?#]+)/i.exec(address)?.[1];
  return id === undefined ? [] : placesOf(decoded(id), connections);
}

/** By http or https, and in whatever case: people copy addresses, and type them. */
function isBelow(address: string, url: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/^https?:\/\//, '');
  return plain(address).startsWith(`${plain(url).replace(/\/+$/, '')}/`);
}

/** How lists show a branch or a tag that was worked on: by its name and commit. Null for the id of a change. */
export function shownRef(id: string): string | null {
  const [, name, commit] = /:refs\/(?:heads|tags)\/(.+)@(?:([0-9a-f]{7})[0-9a-f]*)?$/.exec(id) ?? [];
  if (name === undefined) return null;
  return commit === undefined ? name : `${name} @ ${commit}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
