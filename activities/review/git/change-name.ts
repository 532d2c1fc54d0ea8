import { isChangeId } from '../footers.ts';

/** How people name a change of this host. */
export type ChangeName =
  | { readonly kind: 'number'; readonly number: number; readonly project: string | null }
  | { readonly kind: 'change-id'; readonly changeId: string; readonly project: string | null };

/**
 * Parses `7`, `PROJECT/7`, `PROJECT/CHANGE-ID` or `CHANGE-ID`, each with or without `CONNECTION:` before it, and the
 * URL of a change's page. Answers null for what cannot be a change of this connection.
 */
export function parseChangeName(text: string, connection: string): ChangeName | null {
  const page = /^https?:\/\/[^/]+\/change\/([^/?#]+)$/.exec(text)?.[1];
  const whole = page === undefined ? text : decoded(page);
  const name = whole.startsWith(`${connection}:`) ? whole.slice(connection.length + 1) : whole;
  const slash = name.lastIndexOf('/');
  const project = slash < 0 ? null : name.slice(0, slash);
  const last = name.slice(slash + 1);
  if (/^[1-9][0-9]{0,14}$/.test(last)) return { kind: 'number', number: Number(last), project };
  return isChangeId(last) ? { kind: 'change-id', changeId: last, project } : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
