import { AsyncLocalStorage } from 'node:async_hooks';

/** When one external tool ran; milliseconds since the epoch. */
export interface ToolRun {
  readonly tool: string;
  readonly start: number;
  readonly end: number;
}

const recorder = new AsyncLocalStorage<ToolRun[]>();

/**
 * Runs `work` and says which external tools it waited for, in order of their ends. A recorder around this one hears of
 * them too, even when `work` fails.
 */
export async function recordTools<T>(work: () => Promise<T>): Promise<{ value: T; tools: readonly ToolRun[] }> {
  const tools: ToolRun[] = [];
  const outer = recorder.getStore();
  try {
    const value = await recorder.run(tools, work);
    return { value, tools };
  } finally {
    outer?.push(...tools);
  }
}

/** Counts the time of `work` as the tool's own, wherever a recorder is listening. */
export async function timed<T>(tool: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  try {
    return await work();
  } finally {
    recorder.getStore()?.push({ tool, start, end: Date.now() });
  }
}

/** Milliseconds in which at least one tool ran: tools side by side count once. */
export function busyTime(tools: readonly ToolRun[]): number {
  const inOrder = [...tools].sort((a, b) => a.start - b.start);
  let busy = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { start, end } of inOrder) {
    busy += Math.max(0, end - Math.max(start, until));
    until = Math.max(until, end);
  }
  return busy;
}
