import type { GerritHost } from './host.ts';
import { type Parts, subtractParts } from './parts.ts';

/** A gate before a Gerrit of its own, with a project that runs a job which does nothing. */
export interface MeasuredGate {
  readonly host: GerritHost;
  readonly project: string;
  /** CPU seconds that all that takes part has used so far. */
  readParts(): Parts;
  stop(): Promise<void>;
}

export interface Round {
  readonly changes: number;
  /** From the first approval to the last merge. */
  readonly seconds: number;
  readonly cpuPerChange: number;
  readonly parts: Parts;
}

/** Measures 1, 5 and 20 approved changes. The first changes of all find nothing compiled or cached: they are not counted. */
export async function measureRounds(gate: MeasuredGate): Promise<readonly Round[]> {
  for (const count of [2, 20, 5]) await measure(gate, count, 'warm');
  const rounds: Round[] = [];
  for (const count of [1, 5, 20]) rounds.push(await measure(gate, count, 'measured'));
  return rounds;
}

async function measure({ host, project, readParts }: MeasuredGate, count: number, round: string): Promise<Round> {
  const names = Array.from({ length: count }, (_, index) => `file-${round}-${count}-${index}`);
  const numbers = await host.propose(project, names);
  const [start, before] = [performance.now(), readParts()];
  for (const number of numbers) await host.approve(number);
  await host.settled(numbers, 300_000);
  const seconds = (performance.now() - start) / 1_000;
  const parts = subtractParts(readParts(), before);
  const cpuPerChange = Object.values(parts).reduce((sum, used) => sum + used, 0) / count;
  return { changes: count, seconds, cpuPerChange, parts };
}
