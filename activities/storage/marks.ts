/**
 * What is in use, and until when: a digest's hex digits, the name of a test repository, of a build or of a staged tree
 * to the time (milliseconds since the epoch) at which who refers to it ended. Infinity: it has not, or is kept for good.
 */
export interface Marks {
  readonly blobs: Map<string, number>;
  readonly repositories: Map<string, number>;
  readonly logs: Map<string, number>;
  readonly staged: Map<string, number>;
}

export function noMarks(): Marks {
  return { blobs: new Map(), repositories: new Map(), logs: new Map(), staged: new Map() };
}

/** Digests as workflows and manifests carry them, and as they stand in URLs of artifacts. */
const digests = /(?:sha256:|\/api\/artifacts\/)([0-9a-f]{64})(?![0-9a-f])/g;
const staged = /"(staged-[A-Za-z0-9._+~-]+)/g;
const repositories = /\/repositories\/test\/([a-z0-9][a-z0-9._-]*)/g;

/** Marks all that a text names, whatever it is: too much is kept rather than too little. */
export function markNamed(marks: Marks, text: string, until: number): void {
  for (const [, digits = ''] of text.matchAll(digests)) mark(marks.blobs, digits, until);
  for (const [, name = ''] of text.matchAll(repositories)) mark(marks.repositories, name, until);
  for (const [, name = ''] of text.matchAll(staged)) mark(marks.staged, name, until);
}

/** Marks one thing; a later time counts. */
export function mark(marks: Map<string, number>, name: string, until: number): void {
  marks.set(name, Math.max(until, marks.get(name) ?? Number.NEGATIVE_INFINITY));
}

/** All marks, and when looking for them began: what was put since is younger than they are, and stays. */
export interface MarkList {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly marks: Marks;
}

const lists = ['blobs', 'repositories', 'logs', 'staged'] as const;

/** A list as text for a file; times that never come are null. */
export function writeMarks({ time, marks }: MarkList): string {
  const plain = lists.map((name) => {
    const entries = [...marks[name]].map(([each, until]) => [each, Number.isFinite(until) ? until : null] as const);
    return [name, Object.fromEntries(entries)] as const;
  });
  return JSON.stringify({ version: 1, time, ...Object.fromEntries(plain) });
}

/** @throws for a list of another version, or none at all. */
export function readMarks(text: string): MarkList {
  const read = JSON.parse(text);
  if (read.version !== 1) throw new Error('a list of what is in use of another version');
  const marks = noMarks();
  for (const name of lists) {
    for (const [each, until] of Object.entries(read[name] as Readonly<Record<string, number | null>>)) {
      marks[name].set(each, until ?? Number.POSITIVE_INFINITY);
    }
  }
  return { time: read.time, marks };
}
