import type { Actor } from '../model/actor.ts';

/** Everything that somebody may want of Sluice. */
export type Operation =
  | 'read'
  /** A change, by a push for review. */
  | 'propose'
  | 'vote'
  | 'comment'
  | 'abandon'
  | 'restore'
  | 'enqueue'
  | 'dequeue'
  | 'promote'
  | 'retrigger'
  | 'cancel'
  /** Plan what is released, release it, take it back. */
  | 'release'
  /** Machines, anew. */
  | 'prepare'
  /** Saved machines that are too old. */
  | 'expire'
  /** A failed job's machines, restored. */
  | 'debug'
  /** The nodes of jobs that fail. */
  | 'hold'
  /** All that a build set worked with, sources and packages. */
  | 'export'
  /** Run a single stage on the server's workers: a build, a check, an installation, an export's jobs. */
  | 'by-hand'
  /** Send a repository to its mirrors, take that back, look after them. */
  | 'mirror'
  /** Say that there is something new to look at. */
  | 'notify'
  | 'open-secrets'
  /** Ask for what a job needs, and hand over what came of it. */
  | 'work'
  /** Read the configuration again. */
  | 'reload'
  /** Read who asked for what. */
  | 'audit'
  /** Say what came of a change, on the change. */
  | 'report'
  | 'merge';

/** What it is about. */
export interface Subject {
  /** As people call it: a change, a build, a queue. */
  readonly name: string;
  /** In whose name it is to be done, where the client gave one. */
  readonly inNameOf?: string;
}

export type Access = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Today's only rule: whoever has an account, or holds the server's token, may do all that people do. */
const allowed: Readonly<Record<Operation, readonly Actor['kind'][]>> = {
  read: ['person', 'sluice', 'worker', 'anybody'],
  propose: ['person', 'anybody'],
  vote: ['person'],
  comment: ['person'],
  abandon: ['person'],
  restore: ['person'],
  enqueue: ['person', 'sluice'],
  dequeue: ['person', 'sluice'],
  promote: ['person'],
  retrigger: ['person'],
  cancel: ['person'],
  release: ['person'],
  prepare: ['person'],
  expire: ['person'],
  debug: ['person'],
  hold: ['person'],
  export: ['person'],
  'by-hand': ['person'],
  mirror: ['person'],
  notify: ['person', 'sluice'],
  'open-secrets': ['worker'],
  work: ['worker'],
  reload: ['person'],
  audit: ['person'],
  report: ['sluice'],
  merge: ['sluice'],
};

/** All of them, by their names. */
export const operations = Object.keys(allowed) as readonly Operation[];

/** Whether somebody may do something. Nobody acts in another's name. */
export function may(actor: Actor, operation: Operation, { name, inNameOf }: Subject): Access {
  if (!allowed[operation].includes(actor.kind)) {
    const who = actor.kind === 'anybody' ? 'somebody without an account' : `the ${actor.kind} ${actor.name}`;
    return { ok: false, reason: `${who} may not ${operation.replaceAll('-', ' ')}: ${name}` };
  }
  if (inNameOf !== undefined && inNameOf !== actor.name) {
    const reason = `you are ${actor.name} here, and cannot ${operation} in the name of ${JSON.stringify(inNameOf)}`;
    return { ok: false, reason };
  }
  return { ok: true };
}

/** What somebody may not do; the message says why. */
export class Denied extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Denied';
  }
}

/** @throws Denied */
export function demand(actor: Actor, operation: Operation, subject: Subject): void {
  const access = may(actor, operation, subject);
  if (!access.ok) throw new Denied(access.reason);
}
