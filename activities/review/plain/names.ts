import { createHash } from 'node:crypto';
import { isSafeBranch, isSafeProject } from '../../git/names.ts';

/** Branches below this one are proposals. */
export const proposalsPrefix = 'proposed/';

/** A proposal: the branch `proposed/TOPIC` of a project. */
export interface ProposalName {
  readonly project: string;
  readonly topic: string;
}

export function changeId(connection: string, { project, topic }: ProposalName): string {
  return `${connection}:${project}@${topic}`;
}

export function proposalRef(topic: string): string {
  return `refs/heads/${proposalsPrefix}${topic}`;
}

/**
 * Parses `PROJECT@TOPIC` and `PROJECT@proposed/TOPIC`, with or without `CONNECTION:` before it. Null for what cannot
 * be a proposal.
 */
export function parseProposalName(text: string, connection: string): ProposalName | null {
  const name = text.startsWith(`${connection}:`) ? text.slice(connection.length + 1) : text;
  const at = name.indexOf('@');
  if (at < 0) return null;
  const [project, branch] = [name.slice(0, at), name.slice(at + 1)];
  const topic = branch.startsWith(proposalsPrefix) ? branch.slice(proposalsPrefix.length) : branch;
  return isSafeProject(project) && isTopic(topic) ? { project, topic } : null;
}

export function isTopic(topic: string): boolean {
  return isSafeBranch(`${proposalsPrefix}${topic}`);
}

/** A topic's name is a path: its journal is below a name that no other one begins with. */
export function journalName({ project, topic }: ProposalName): readonly string[] {
  return [...project.split('/'), '@proposed', createHash('sha256').update(topic).digest('hex').slice(0, 32)];
}

/**
 * The branch that a proposal is for: the longest one whose name its topic begins with, else the default branch, else
 * the only one. Null where that says nothing.
 */
export function targetOf(topic: string, branches: ReadonlySet<string>, head: string | null): string | null {
  const parts = topic.split('/');
  for (let length = parts.length - 1; length > 0; length -= 1) {
    const name = parts.slice(0, length).join('/');
    if (branches.has(name)) return name;
  }
  if (head !== null && branches.has(head)) return head;
  const [only, ...more] = branches;
  return only !== undefined && more.length === 0 ? only : null;
}
