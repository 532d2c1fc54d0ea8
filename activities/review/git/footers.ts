/** What the lines at the end of a commit message say to the gate. */

const changeIdPattern = /^I[0-9a-f]{40}$/;

export type ChangeIdAnswer =
  | { readonly ok: true; readonly changeId: string }
  | { readonly ok: false; readonly problem: 'missing' | 'malformed' | 'several'; readonly found: readonly string[] };

/** The `Change-Id:` footer of a message: exactly one, in any letter case, on a line of its own. */
export function readChangeId(message: string): ChangeIdAnswer {
  const found = [...new Set(footer(message, 'change-id'))];
  const [changeId, ...more] = found;
  if (changeId === undefined) return { ok: false, problem: 'missing', found };
  if (more.length > 0) return { ok: false, problem: 'several', found };
  if (!changeIdPattern.test(changeId)) return { ok: false, problem: 'malformed', found };
  return { ok: true, changeId };
}

/** The values of all `Depends-On:` lines, in any letter case, as written; each once. */
export function readDependsOn(message: string): string[] {
  return [...new Set(footer(message, 'depends-on'))];
}

export function subjectOf(message: string): string {
  return message.split('\n', 1)[0]?.trim() ?? '';
}

function footer(message: string, name: string): string[] {
  const pattern = new RegExp(`^${name}:[ \\t]*(\\S.*?)[ \\t]*\\r?$`, 'gim');
  return [...message.matchAll(pattern)].map((match) => match[1] ?? '');
}

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
  return changeIdPattern.test(last) ? { kind: 'change-id', changeId: last, project } : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
