import { isChangeId } from '../footers.ts';

/** How people name a change of a Gerrit. */
export type ChangeName =
  | { readonly kind: 'number'; readonly number: number; readonly project: string | null }
  | { readonly kind: 'change-id'; readonly changeId: string; readonly project: string | null };

/** Longer ones are no names: what somebody wrote behind `Depends-On:` may be anything. */
const longest = 1_000;

/**
 * Parses `7`, `PROJECT~7`, `PROJECT/7`, `CHANGE-ID`, `PROJECT~BRANCH~CHANGE-ID`, each with or without `CONNECTION:`
 * before it, and the URLs of a change's page: `/7`, `/c/7`, `/c/PROJECT/+/7`, `/#/c/7`, each with more behind it.
 *
 * @returns null for what cannot be a change of this Gerrit
 */
export function parseChangeName(
  given: string,
  { connection, url }: { readonly connection: string; readonly url: string },
): ChangeName | null {
  const text = given.trim();
  if (text.length > longest) return null;
  if (/^https?:\/\//i.test(text)) return parseUrl(text, url);
  const name = text.startsWith(`${connection}:`) ? text.slice(connection.length + 1) : text;
  const parts = name.split('~');
  if (parts.length === 3) return changeId(parts[2] ?? '', parts[0] ?? '');
  if (parts.length === 2) return parseLast(parts[1] ?? '', parts[0] ?? '');
  const slash = name.lastIndexOf('/');
  return parseLast(name.slice(slash + 1), slash < 0 ? null : name.slice(0, slash));
}

/** Whether a change goes by the name's project, where it says one. */
export function isOf(name: ChangeName, project: string): boolean {
  return name.project === null || name.project === project;
}

function parseLast(text: string, project: string | null): ChangeName | null {
  return parseNumber(text, project) ?? changeId(text, project);
}

function parseNumber(text: string, project: string | null): ChangeName | null {
  return /^[1-9][0-9]{0,8}$/.test(text) ? { kind: 'number', number: Number(text), project } : null;
}

function changeId(text: string, project: string | null): ChangeName | null {
  return isChangeId(text) ? { kind: 'change-id', changeId: text, project } : null;
}

/** One server answers by http and https, so the scheme does not count. */
function parseUrl(text: string, root: string): ChangeName | null {
  if (!URL.canParse(text) || !URL.canParse(root)) return null;
  const [page, home] = [new URL(text), new URL(root)];
  const base = home.pathname.replace(/\/+$/, '');
  if (page.host !== home.host || !page.pathname.startsWith(`${base}/`)) return null;
  const path = page.hash.startsWith('#/') ? page.hash.slice(1) : page.pathname.slice(base.length);
  const plain = /^\/(?:c\/)?(\d+)(?:\/.*)?$/.exec(path);
  if (plain !== null) return parseNumber(plain[1] ?? '', null);
  const full = /^\/c\/(.+)\/\+\/(\d+)(?:\/.*)?$/.exec(path);
  return full === null ? null : parseNumber(full[2] ?? '', decoded(full[1] ?? ''));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
