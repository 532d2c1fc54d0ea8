import { counted } from '../model/words.ts';
import type { HostRoom } from '../nodes/capacity.ts';
import type { Lack } from '../nodes/lack.ts';
import type { ReadyNode } from '../nodes/ready.ts';

/** What a request finds too little of on a host: all of its machines are on one. */
export interface HostLack extends Pick<HostRoom, 'name' | 'shut'> {
  readonly lacks: readonly Lack[];
}

/** Why a job waits for machines: who comes before it, and what there is too little of, or on each host. */
export function waitsBecause(ahead: number, lacks: readonly Lack[] | readonly HostLack[], closed: boolean): string {
  if (closed) return 'jobs are asked first what they hold';
  const before = ahead === 0 ? [] : [`${counted(ahead, 'other')} ahead`];
  const hosts = lacks.flatMap((each) => ('name' in each ? [each] : []));
  const room = hosts.some(({ shut, lacks: of }) => shut === undefined && of.length === 0);
  const why = [
    ...before,
    ...(room ? [] : lacks.map((each) => ('name' in each ? hostLackWords(each) : lackWords(each)))),
  ];
  return why.length > 0 ? why.join('; ') : 'is lent them now';
}

function lackWords({ of, needs, free }: Lack): string {
  const unit = { servers: ['server', 'servers'], cores: ['core', 'cores'], ramGb: memory }[of];
  return `needs ${counted(amount(needs), unit[0], unit[1])}, ${amount(free)} free`;
}

function hostLackWords({ name, shut, lacks }: HostLack): string {
  return `${name}: ${shut ?? lacks.map(lackWords).join(', ')}`;
}

/** How it stands with a host of virtual machines. */
export function hostWords({ shut, soon }: Pick<HostRoom, 'shut' | 'soon'>): string {
  if (shut === undefined) return 'takes jobs';
  return soon === undefined ? `takes no jobs: ${shut}` : `is waited for: ${shut}`;
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
