import { z } from 'zod';
import { builtInPlatforms } from '../images/platforms.ts';
import type { Fault } from './fault.ts';
import { namedSchema } from './mirrors.ts';
import { durationSchema } from './units.ts';

const label = z.strictObject({
  minReady: z.int().min(0).max(100).default(0).describe('Nodes that stand ready, idle, for jobs to come.'),
  maxReadyAge: durationSchema
    .optional()
    .describe('How long one stands ready until another takes its place. Default: as long as it is good.'),
});

/** `nodes.labels:` what is said of nodes by their label, which is the name of a platform. */
export const labelsSchema = namedSchema(label);

export type Labels = z.infer<typeof labelsSchema>;

interface Nodes {
  readonly labels: Labels;
  readonly docker: { readonly maxServers?: number | undefined };
  readonly vm: {
    readonly maxServers: number;
    readonly hosts: Readonly<Record<string, { readonly maxServers: number }>>;
  };
}

/** What is wrong with a label only beside the limits, or beside the platforms. */
export function labelFaults(
  nodes: Nodes,
  platforms: Readonly<Record<string, { readonly provider: 'docker' | 'vm' }>>,
  { build }: { readonly build: number },
): readonly Fault[] {
  const all = {
    ...Object.fromEntries(builtInPlatforms.map(({ name }) => [name, { provider: 'docker' as const }])),
    ...platforms,
  };
  const far = Object.values(nodes.vm.hosts).reduce((sum, host) => sum + host.maxServers, 0);
  const most = { docker: nodes.docker.maxServers, vm: nodes.vm.maxServers + far };
  const sums = { docker: 0, vm: 0 };
  return Object.entries(nodes.labels).flatMap(([name, { minReady }]) => {
    const platform = all[name];
    const known = Object.keys(all).join(', ');
    if (platform === undefined) return [{ path: [name], message: `there is no platform ${name}: there are ${known}` }];
    const { provider } = platform;
    sums[provider] += minReady;
    const maxServers = most[provider];
    const hosts = provider === 'vm' && far > 0 ? ', with that of its hosts,' : '';
    const path = [name, 'minReady'];
    if (minReady > 0 && build === 0) {
      return [{ path, message: 'has nodes stand ready on the server, whose worker makes none: give workers.build' }];
    }
    if (minReady > 0 && maxServers === undefined) {
      return [{ path, message: `counts in nodes.${provider}.maxServers: give that as well` }];
    }
    if (sums[provider] <= (maxServers ?? Infinity)) return [];
    return [
      {
        path,
        message: `makes ${sums[provider]} with others, and nodes.${provider}.maxServers${hosts} is ${maxServers}`,
      },
    ];
  });
}
