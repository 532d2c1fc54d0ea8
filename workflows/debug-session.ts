import {
  ApplicationFailure,
  CancellationScope,
  condition,
  rootCause,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { debugId } from './ids.ts';
import { hear, messages, requireId, requireInput } from './input.ts';
import { debugQuery, debugUntilSignal } from './messages.ts';
import { debugOnHost } from './snapshot-activities.ts';
import type { DebugInput, DebugNode, DebugView } from './snapshots-contract.ts';

/**
 * Restores the machines that were kept of a build, and ends them at its time, which people move. Whatever is done to
 * them in between, what is kept stays as it was. It fails where they cannot be ended: their host may be gone for good.
 */
export async function debugSession(input: DebugInput): Promise<void> {
  requireInput('debugSession', input);
  const { host, build, step } = input;
  const wanted = { build, ...(step !== undefined && { step }) };
  requireId(debugId(host, build));
  const state: { until: number; nodes: readonly DebugNode[]; ending?: string } = { until: input.until, nodes: [] };
  hear(debugUntilSignal, messages.until, ({ until }) => {
    state.until = until;
  });
  setHandler(debugQuery, (): DebugView => ({ host, ...wanted, ...state }));
  const { openDebug, closeDebug } = debugOnHost(host);
  let remains: string | undefined;
  try {
    state.nodes = await openDebug(wanted);
    setCurrentDetails(state.nodes.map(({ command }) => `    ${command}`).join('\n'));
    for (let left = state.until - Date.now(); left > 0; left = state.until - Date.now()) {
      const { until } = state;
      await condition(() => state.until !== until, left);
    }
    state.ending = 'its time is over';
  } catch (error) {
    state.ending = whyOf(error);
    throw error;
  } finally {
    setCurrentDetails(`its machines are being ended: ${state.ending}`);
    const close = () => closeDebug({ build }).then(() => undefined, whyOf);
    remains = remainsOf(input, await CancellationScope.nonCancellable(close));
    if (remains !== undefined) setCurrentDetails(remains);
  }
  if (remains !== undefined) throw ApplicationFailure.nonRetryable(remains);
}

/** What becomes of machines that could not be ended. */
function remainsOf({ host, build }: DebugInput, fault: string | undefined): string | undefined {
  if (fault === undefined) return undefined;
  const later = 'they run there until its worker is back, which removes them';
  return `the machines of ${build} could not be ended on ${host}: ${fault}; ${later}`;
}

function whyOf(error: unknown): string {
  return rootCause(error) ?? String(error);
}
