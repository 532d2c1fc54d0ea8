import { type Commit, readCommits, readObjects, writeCommit } from '../../git/objects.ts';
import { readRefFiles } from '../../git/ref-files.ts';
import { type RefUpdate, readRefs, updateRefs } from '../../git/refs.ts';
import { changesPrefix, identityPrefix, identityRef, metaRef, patchsetRef } from './refs.ts';
import { type ChangeEvent, type ChangeRecord, type Entry, entrySchema } from './schema.ts';

/** A change as it was read, with the commit that says so: what a write of it expects to find. */
export interface Stored {
  readonly record: ChangeRecord;
  readonly meta: string;
}

/** A change to write; `before` is null for a new one. */
export interface Write {
  readonly entry: Entry;
  readonly before: Stored | null;
}

/** The tree without files, which every repository has. */
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const committer = (time: number) => `Sluice <sluice@localhost> ${Math.floor(time / 1000)} +0000`;

export async function readStored(repo: string, number: number): Promise<Stored | null> {
  const [object] = await readObjects(repo, [metaRef(number)]);
  return object === null || object === undefined ? null : toStored(object);
}

/** Every change of a repository, by number, with one process however many there are. */
export async function listStored(repo: string): Promise<Stored[]> {
  const metas = await readRefFiles(repo, [changesPrefix], (ref) => ref.endsWith('/meta'));
  const objects = await readObjects(repo, [...metas.values()]);
  const stored = objects.flatMap((object) => (object === null ? [] : [toStored(object)]));
  return stored.sort((a, b) => a.record.number - b.record.number);
}

/** The changes with this `Change-Id:`, one for each branch. */
export async function findByChangeId(repo: string, changeId: string): Promise<Stored[]> {
  const first = await readObjects(repo, [...(await readRefs(repo, identityPrefix(changeId))).values()]);
  const numbers = first.flatMap((object) => (object === null ? [] : [toStored(object).record.number]));
  const found = await Promise.all(numbers.map((number) => readStored(repo, number)));
  return found.flatMap((each) => each ?? []);
}

/** The events of a change after number `after`, oldest first. */
export async function readEvents(repo: string, stored: Stored, after: number): Promise<ChangeEvent[]> {
  const missing = stored.record.events - after;
  if (missing <= 0) return [];
  const events: ChangeEvent[] = [];
  for (let name: string | undefined = stored.meta; name !== undefined && events.length < missing; ) {
    const [commit]: Commit[] = await readCommits(repo, [name]);
    if (commit) events.push(entrySchema.parse(JSON.parse(commit.message.slice(commit.message.indexOf('\n{')))).event);
    name = commit?.parents[0];
  }
  return events.reverse();
}

/**
 * Writes changes, with their refs and with `more`: all or none.
 *
 * @returns false when one of them was written by somebody else in the meantime.
 */
export async function writeAll(repo: string, writes: readonly Write[], more: readonly RefUpdate[]): Promise<boolean> {
  const updates: RefUpdate[] = [...more];
  for (const write of writes) updates.push(...(await stage(repo, write)));
  return updates.length === 0 || updateRefs(repo, updates);
}

async function stage(repo: string, { entry, before }: Write): Promise<RefUpdate[]> {
  const { event, change } = entry;
  const { name, email } = event.by;
  const { id: meta } = await writeCommit(repo, {
    tree: emptyTree,
    parents: before === null ? [] : [before.meta],
    author: `${withoutBrackets(name)} <${withoutBrackets(email)}> ${Math.floor(event.time / 1000)} +0000`,
    committer: committer(event.time),
    encoding: null,
    bytes: false,
    message: `${headline(event)}\n\n${JSON.stringify(entry)}\n`,
  });
  const updates: RefUpdate[] = [{ ref: metaRef(change.number), from: before?.meta ?? null, to: meta }];
  if (before === null) updates.push({ ref: identityRef(change.changeId, change.branch), from: null, to: meta });
  for (let patchset = before?.record.patchsets.length ?? 0; patchset < change.patchsets.length; patchset++) {
    const commit = change.patchsets[patchset]?.commit ?? null;
    updates.push({ ref: patchsetRef(change.number, patchset + 1), from: null, to: commit });
  }
  return updates;
}

function headline(event: ChangeEvent): string {
  const votes = event.votes.map(({ label, value }) => `${label} ${value}`).join(', ');
  return `${event.type}: patch set ${event.patchset}${votes === '' ? '' : `, ${votes}`}`;
}

function toStored(object: { readonly id: string; readonly content: string }): Stored {
  const text = Buffer.from(object.content, 'latin1').toString('utf8');
  const body = text.slice(text.indexOf('\n{') + 1);
  return { meta: object.id, record: entrySchema.parse(JSON.parse(body)).change };
}

function withoutBrackets(text: string): string {
  return text.replace(/[<>\n\0]/g, '');
}
