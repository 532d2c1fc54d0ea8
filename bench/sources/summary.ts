import type { SourceResult } from './try-source.ts';

/** Sources that must end as Debian's own build of them does, and how long Sluice's build may take, median. */
export const limits = { same: 97, ratio: 1.5 };

export interface Summary {
  /** Sources in the list. */
  readonly listed: number;
  /** Of which so many ran. */
  readonly ran: number;
  readonly same: number;
  /** Time of the build stage through that of Debian's own tools: the median of the sources that both build. */
  readonly ratio: number;
  /** The ratios that a tenth, and nine tenths, of the sources stay below. */
  readonly spread: readonly [number, number];
  /** Of the machine while they ran: the lowest, the median, the highest. */
  readonly loads: readonly [number, number, number];
  readonly ok: boolean;
}

export function summarize(results: readonly SourceResult[], listed: number): Summary {
  const both = results.filter(({ packages }) => packages > 0);
  const ratios = both.map(({ times }) => times.sluice / times.debian).sort(ascending);
  const loads = results.flatMap(({ times }) => times.load).sort(ascending);
  const same = results.filter((one) => one.same).length;
  const ratio = at(ratios, 0.5);
  return {
    ...{ listed, ran: results.length, same, ratio },
    spread: [at(ratios, 0.1), at(ratios, 0.9)],
    loads: [at(loads, 0), at(loads, 0.5), at(loads, 1)],
    ok: same >= limits.same && ratio <= limits.ratio,
  };
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** The value below which a share of the sorted values lies; 0 where there is none. */
function at(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return Math.round(value * 100) / 100;
}
