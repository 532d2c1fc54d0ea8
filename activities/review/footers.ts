/** What the lines at the end of a commit message, or of a description, say to the gate. */

const changeIdPattern = /^I[0-9a-f]{40}$/;

/** Whether a text is a whole `Change-Id`. */
export function isChangeId(text: string): boolean {
  return changeIdPattern.test(text);
}

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

/** Linear in the length of the message, which anybody may have written. */
function footer(message: string, name: string): string[] {
  const pattern = new RegExp(`^${name}:[ \\t]*(\\S.*)$`, 'gim');
  return [...message.matchAll(pattern)].map((match) => (match[1] ?? '').trimEnd());
}
