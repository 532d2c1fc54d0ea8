import { measureRounds, type Round } from './rounds.ts';
import { startSluice } from './sluice.ts';
import { startZuul } from './zuul.ts';

/** Parts of what Zuul needs that Sluice may need: of the time from the approval to the last merge, of the CPU. */
const limits = { seconds: 1 / 3, cpuPerChange: 1 / 4 } as const;

const gates = { zuul: startZuul, sluice: startSluice } as const;
const rounds: Record<string, readonly Round[]> = {};
for (const [name, start] of Object.entries(gates)) {
  const gate = await start();
  try {
    rounds[name] = await measureRounds(gate);
  } finally {
    await gate.stop();
  }
}
const { zuul = [], sluice = [] } = rounds;
const ratios = sluice.map(({ changes, seconds, cpuPerChange }, index) => {
  const peer = zuul[index];
  const of = (own: number, other = Number.NaN) => own / other;
  return { changes, seconds: of(seconds, peer?.seconds), cpuPerChange: of(cpuPerChange, peer?.cpuPerChange) };
});
const ok =
  ratios.every(({ seconds }) => seconds <= limits.seconds) &&
  ratios.every(({ changes, cpuPerChange }) => changes < 20 || cpuPerChange <= limits.cpuPerChange);
console.log(JSON.stringify({ bench: 'gerrit', ratios, limits, rounds, ok }));
process.exitCode = ok ? 0 : 1;
