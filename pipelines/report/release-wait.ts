import { bounded } from '../model/words.ts';

/** A step of a release, as Temporal has it. */
export interface PendingStep {
  readonly name: string;
  /** Which one this is, or will be. */
  readonly attempt: number;
  /** What the last one ended with; absent where none has ended. */
  readonly fault?: string | undefined;
  /** Whether a worker has it now. */
  readonly begun: boolean;
  /** The task queue in which it waits for a worker, or has waited; absent where Temporal does not say. */
  readonly queue?: string | undefined;
  /** Seconds since it could be begun. */
  readonly waits: number;
}

/** Seconds from which nobody can be taken to come for a step in a moment. */
const patience = 20;

const steps: Readonly<Record<string, string>> = {
  ...{ collect: 'to choose the build', releasedFiles: 'to read the build', attest: 'to write the statements' },
  ...{ signPackages: 'to sign the packages', signStatements: 'to sign the statements', signIndex: 'to sign the index' },
  ...{ stageReleased: 'to make the next state', publishReleased: 'to show the next state' },
  ...{ stagePlanned: 'to make the next state', finishReleased: 'to make the next state' },
  showReleased: 'to show the next state',
  runStage: 'to build it again',
};

/** How much of a fault is told: it is one line among others, and what programs print goes on. */
const longest = 300;

const signers = ['signPackages', 'signStatements', 'signIndex'];

/** What a release that has not ended waits for, in one line, and since when it is no mere moment; null while it goes on. */
export function releaseWait(pending: readonly PendingStep[]): string | null {
  const failing = pending.find(({ attempt, fault }) => attempt > 1 && fault !== undefined);
  if (failing !== undefined) {
    const times = failing.attempt === 2 ? 'once' : `${failing.attempt - 1} times`;
    const what = steps[failing.name] ?? `to do ${failing.name}`;
    return `it was tried ${times} ${what}, and is tried again: ${bounded(failing.fault?.split('\n')[0] ?? '', longest)}`;
  }
  const waiting = pending.find(({ begun, waits }) => !begun && waits >= patience);
  if (waiting === undefined) return null;
  const { name, waits } = waiting;
  const since = `${Math.round(waits)} s`;
  // That other builds go first is no fault.
  if (name === 'runStage') return `it waits for a build worker that has a place for it, for ${since} so far`;
  const who = signers.includes(name) ? 'signer' : 'server';
  return `it waits for the ${who}, which has not come for ${since}: is it running (\`sluice doctor\`)?`;
}
