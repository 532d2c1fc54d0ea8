import { git } from '../../../git/git.ts';
import { repositoryPath } from '../../../git/names.ts';
import { type Commit, readCommits, readObjects } from '../../../git/objects.ts';
import { isAncestor } from '../../../git/refs.ts';
import { Refused } from '../../people.ts';
import { comment } from '../record.ts';
import { votesRef } from '../refs.ts';
import { personOf } from '../schema.ts';
import { readStored, type Write } from '../store.ts';
import { type Command, knownCommits, type Plan, type PushContext } from './context.ts';

const linePattern = /^([A-Z][A-Za-z0-9-]*):[ \t]*([+-]?\d{1,2})[ \t]*$/;
const zero = /^0+$/;

/**
 * Plans a push to `refs/notes/votes`: each line `LABEL: VALUE` that is new in the note of a patch set's commit is a
 * vote of whoever pushes it, whatever name the note was made under.
 *
 * @throws Refused
 */
export async function planVotes(context: PushContext, command: Command): Promise<Plan> {
  const { repo } = context;
  const old = zero.test(command.old) ? null : command.old;
  if (old !== null && !(await isAncestor(repo, old, command.new))) {
    throw new Refused(
      `others have voted meanwhile: git fetch REMOTE ${votesRef} && git notes --ref=votes merge FETCH_HEAD`,
    );
  }
  const [tip] = await readCommits(repo, [command.new]);
  if (tip === undefined) throw new Refused('a note must be a commit');
  const votes = await newVotes(context, old, tip);
  const writes: Write[] = [];
  const messages: string[] = [];
  for (const { number, ...given } of votes) {
    const planned = await planVote(context, number, given);
    if (planned.write !== null) writes.push(planned.write);
    messages.push(planned.message);
  }
  return {
    writes,
    refs: [{ ref: votesRef, from: old, to: command.new }],
    made: [],
    numbers: writes.map(({ entry }) => entry.change.number),
    messages,
  };
}

interface NoteVotes {
  readonly number: number;
  readonly patchset: number;
  readonly votes: Readonly<Record<string, number>>;
}

async function newVotes(context: PushContext, old: string | null, tip: Commit): Promise<NoteVotes[]> {
  const known = knownCommits(context.changes);
  const found: NoteVotes[] = [];
  for (const { commit, before, after } of await changedNotes(context.repo, old, tip.id)) {
    const change = known.get(commit);
    const votes = parseVotes(added(before, after));
    if (change !== undefined && Object.keys(votes).length > 0) found.push({ ...change, votes });
  }
  return found;
}

interface Note {
  readonly commit: string;
  readonly before: string;
  readonly after: string;
}

/** Git spreads notes over directories when they are many: the path without slashes is the commit. */
async function changedNotes(repo: string, old: string | null, tip: string): Promise<Note[]> {
  const from = old === null ? ['--root'] : [old];
  const output = await git(repo, ['diff-tree', '-r', '-z', '--no-renames', '--no-commit-id', ...from, tip]);
  const parts = output.split('\0');
  const notes: { commit: string; ids: [string, string] }[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [, , before = '', after = ''] = (parts[at] ?? '').split(' ');
    notes.push({ commit: (parts[at + 1] ?? '').replaceAll('/', ''), ids: [before, after] });
  }
  const objects = await readObjects(
    repo,
    notes.flatMap(({ ids }) => ids),
  );
  return notes.map(({ commit }, index) => ({
    commit,
    before: objects[index * 2]?.content ?? '',
    after: objects[index * 2 + 1]?.content ?? '',
  }));
}

/** Lines that are there more often than before: notes are appended to and merged, never edited. */
function added(before: string, after: string): string[] {
  const rest = before.split('\n');
  return after.split('\n').filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function parseVotes(lines: readonly string[]): Record<string, number> {
  const votes = lines.flatMap((line) => {
    const [, label, value] = linePattern.exec(line) ?? [];
    return label === undefined ? [] : [[label, Number(value)] as const];
  });
  return Object.fromEntries(votes);
}

async function planVote(
  context: PushContext,
  number: number,
  { patchset, votes }: Omit<NoteVotes, 'number'>,
): Promise<{ write: Write | null; message: string }> {
  const before = await readStored(repositoryPath(context.settings.root, context.project), number);
  if (before === null) return { write: null, message: `there is no change ${number}` };
  if (patchset !== before.record.patchsets.length) {
    return { write: null, message: `change ${number}: a vote on patch set ${patchset} no longer counts` };
  }
  const by = personOf(context.pusher);
  const entry = comment(before.record, { by, time: context.time, comment: null, votes });
  const said = Object.entries(votes).map(([label, value]) => `${label} ${value}`);
  return { write: { entry, before }, message: `Change ${number}: ${said.join(', ')} by ${by.name}` };
}
