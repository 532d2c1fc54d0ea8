/** A link of a set: its path below the root, and the text that leads to a snapshot from there. */
export interface MirrorLink {
  readonly path: string;
  readonly text: string;
}

export interface LinkPlan {
  readonly set: string;
  readonly snapshots: string;
  readonly heads: readonly string[];
}

/** Lines kept in each `LINK.target.txt`. */
const historyLength = 200;

/** Every link that shows a snapshot, in the order in which they are flipped: heads last. */
export function linksTo({ set, snapshots, heads }: LinkPlan, snapshot: string): MirrorLink[] {
  const latest = { path: `${snapshots}/${set}-latest`, text: snapshot };
  return [latest, ...heads.map((path) => ({ path, text: relative(path, `${snapshots}/${snapshot}`) }))];
}

/** The snapshot that a link's text leads to, whatever way it is written; null when it leads elsewhere. */
export function linkedSnapshot(text: string): string | null {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  return parts.at(-1) ?? null;
}

/** The history with a new text at its head; the same text again changes nothing. */
export function pushHistory(history: string, text: string): string {
  const lines = history.split('\n').filter((line) => line !== '');
  if (lines[0] === text) return `${lines.join('\n')}\n`;
  return `${[text, ...lines].slice(0, historyLength).join('\n')}\n`;
}

function relative(from: string, to: string): string {
  const base = from.split('/').slice(0, -1);
  const target = to.split('/');
  let shared = 0;
  while (shared < base.length && base[shared] === target[shared]) shared += 1;
  return [...base.slice(shared).map(() => '..'), ...target.slice(shared)].join('/');
}
