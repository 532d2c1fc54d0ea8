import type { NodeSize } from '../../pipelines/model/job.ts';
import { sizedAs } from '../../pipelines/nodes/instance-types.ts';
import type { Lease, MachineNeed } from './port.ts';

interface SizedNode {
  readonly name: string;
  readonly label: string;
  readonly size?: NodeSize;
}

/** The same lease, whose machines have what the job's nodes ask for. Those that stand apart are none of these. */
export function sizedLease(lease: Lease, nodes: readonly SizedNode[]): Lease {
  if (nodes.every(({ size }) => size === undefined)) return lease;
  const sizeOf = ({ name, platform, apart }: MachineNeed) => {
    // A stage that works on one node has a name of its own for it.
    const like = apart ? [] : nodes.filter(({ label }) => label === platform.name);
    return (like.find((node) => node.name === name) ?? like[0])?.size;
  };
  return { ...lease, machine: (need) => lease.machine({ ...need, platform: sizedAs(need.platform, sizeOf(need)) }) };
}
