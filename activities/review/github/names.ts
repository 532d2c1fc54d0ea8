import { isObjectId, isSafeProject } from '../../git/names.ts';

/** A pull request, by its number or by the commit at its head. */
export type PullName =
  | { readonly project: string; readonly number: number }
  | { readonly project: string; readonly head: string };

export interface NamingPlace {
  readonly connection: string;
  /** Where people look at pull requests, without a slash at the end. */
  readonly url: string;
}

/** `CONNECTION:OWNER/NAME#17`. */
export function pullId(connection: string, project: string, number: number): string {
  return `${connection}:${project}#${number}`;
}

/** How an event names the pull request of a commit where its host does not say which that is. */
export function headName(connection: string, project: string, head: string): string {
  return `${connection}:${project}@${head}`;
}

/**
 * Reads `OWNER/NAME#17` with or without `CONNECTION:` before it, or the address of a page of the pull request.
 *
 * @param project of which a bare `#17` is; without it there is no such name
 * @returns null for what cannot be a pull request of this connection
 */
export function parsePullName(text: string, place: NamingPlace, project?: string): PullName | null {
  if (text.length > 500) return null;
  const own = text.startsWith(`${place.connection}:`) ? text.slice(place.connection.length + 1) : text;
  const name = pathOf(own, place.url) ?? own;
  const [, where, mark, what = ''] = /^([^#@]*)([#@])([0-9a-f]+)$/.exec(name) ?? [];
  const owner = where === '' ? project : where;
  if (owner === undefined || !isProject(owner)) return null;
  if (mark === '@') return isObjectId(what) ? { project: owner, head: what } : null;
  return /^[1-9]\d{0,9}$/.test(what) ? { project: owner, number: Number(what) } : null;
}

/** The address of a page as `OWNER/NAME#17`; null for no page of a pull request. */
function pathOf(text: string, url: string): string | null {
  const address = text.replace(/^<(.*)>$/, '$1');
  if (!URL.canParse(address) || !URL.canParse(url)) return null;
  const [page, home] = [new URL(address), new URL(url)];
  const root = home.pathname.replace(/\/$/, '');
  if (page.host !== home.host || !page.pathname.startsWith(`${root}/`)) return null;
  const path = /^\/([^/]+\/[^/]+)\/(?:pull|issues)\/(\d+)(?:\/|$)/.exec(page.pathname.slice(root.length));
  return path === null ? null : `${path[1]}#${path[2]}`;
}

/** Whether a text is `OWNER/NAME`, of the safe kind. */
export function isProject(text: string): boolean {
  return text.split('/').length === 2 && isSafeProject(text);
}

/** The parts of a project's name, as GitHub's paths take them. */
export function partsOf(project: string): { readonly owner: string; readonly repo: string } {
  const [owner = '', repo = ''] = project.split('/');
  return { owner, repo };
}
