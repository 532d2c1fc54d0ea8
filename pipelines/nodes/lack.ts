import { type Capacity, nothing, type Size, type Usage, withMachines } from './capacity.ts';

/** Of what machines need more than is free now. */
export interface Lack {
  readonly of: keyof Usage;
  readonly needs: number;
  readonly free: number;
}

/** What is left of a provider; null: it is not counted. */
export type Left = { readonly [K in keyof Usage]: number | null };

/** What nobody has been lent. Nothing is left where more is lent than there is by now. */
export function leftOf(usage: Usage, { maxServers, maxCores, maxRamGb }: Capacity): Left {
  const left = (most: number | undefined, used: number) => (most === undefined ? null : Math.max(0, most - used));
  return {
    servers: left(maxServers, usage.servers),
    cores: left(maxCores, usage.cores),
    ramGb: left(maxRamGb, usage.ramGb),
  };
}

/** Why machines cannot be lent now; empty when they could. */
export function lacking(sizes: readonly Size[], left: Left): readonly Lack[] {
  const needed = withMachines(nothing, sizes);
  return (['servers', 'cores', 'ramGb'] as const).flatMap((of) => {
    const [needs, free] = [needed[of], left[of]];
    return free !== null && needs > free ? [{ of, needs, free }] : [];
  });
}
