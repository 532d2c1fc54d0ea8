import { CancellationScope, condition, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { debugId } from './ids.ts';
import { hear, messages, requireId, requireInput } from './input.ts';
import { debugQuery, debugUntilSignal } from './messages.ts';
import { debugOnHost } from './snapshot-activities.ts';
import type { DebugInput, DebugNode, DebugView } from './snapshots-contract.ts';

/**
 * Restores the machines that were kept of a build, and ends them at its time, which people move. Whatever is done to
 * them in between, what is kept stays as it was.
 */
export async function debugSession(input: DebugInput): Promise<void> {
  requireInput('debugSession', input);
  const { host, build, step } = input;
  const wanted = { build, ...(step !== undefined && { step }) };
  requireId(debugId(host, build));
  const state: { until: number; nodes: readonly DebugNode[] } = { until: input.until, nodes: [] };
  hear(debugUntilSignal, messages.until, ({ until }) => {
    state.until = until;
  });
  setHandler(debugQuery, (): DebugView => ({ host, ...wanted, ...state }));
  const { openDebug, closeDebug } = debugOnHost(host);
  try {
    state.nodes = await openDebug(wanted);
    setCurrentDetails(state.nodes.map(({ command }) => `    ${command}`).join('\n'));
    for (let left = state.until - Date.now(); left > 0; left = state.until - Date.now()) {
      const { until } = state;
      await condition(() => state.until !== until, left);
    }
  } finally {
    await CancellationScope.nonCancellable(() => closeDebug({ build }));
  }
}
