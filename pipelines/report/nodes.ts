import type { Lack } from '../nodes/lack.ts';
import type { ReadyNode } from '../nodes/ready.ts';
import { counted } from './words.ts';

/** Why a job waits for machines: who comes before it, and what there is too little of. */
export function waitsBecause(ahead: number, lacks: readonly Lack[], closed: boolean): string {
  if (closed) return 'jobs are asked first what they hold';
  const before = ahead === 0 ? [] : [`${counted(ahead, 'other')} ahead`];
  const why = [...before, ...lacks.map(lackWords)];
  return why.length > 0 ? why.join('; ') : 'is lent them now';
}

function lackWords({ of, needs, free }: Lack): string {
  const unit = { servers: ['server', 'servers'], cores: ['core', 'cores'], ramGb: memory }[of];
  return `needs ${counted(amount(needs), unit[0], unit[1])}, ${amount(free)} free`;
}

const memory = ['GB of memory', 'GB of memory'] as const;

/** At most two decimals: sizes are sums of fractions. */
function amount(value: number): number {
  return Math.round(value * 100) / 100;
}

/** How it stands with a node for jobs to come. */
export function readyWords({ state, took }: Pick<ReadyNode, 'state' | 'took'>): string {
  if (state === 'making') return 'is being made';
  if (state === 'leaving') return 'given up: being removed';
  return `ready${took === undefined ? '' : `: made in ${(took / 1000).toFixed(1)} s`}`;
}
