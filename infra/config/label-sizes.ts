import { type Platform, providerOf } from '../../pipelines/model/platform.ts';
import { sizeWithin } from '../../pipelines/nodes/capacity.ts';
import type { LabelSizes } from '../../pipelines/nodes/instance-types.ts';
import { type TypesOf, typesFor, withType } from './instance-types.ts';
import type { Config } from './load.ts';
import { madePlatforms } from './platforms.ts';

/** What nodes can be, by their labels: containers alone are made as large as they are asked for. */
export function labelSizes(config: Pick<Config, 'platforms' | 'nodes'>): Readonly<Record<string, LabelSizes>> {
  const { nodes } = config;
  const made = madePlatforms(config).map((platform) => [platform.name, sizesOf(platform, nodes)] as const);
  const given = Object.values(nodes.static).flatMap(({ labels }) => labels);
  return Object.fromEntries([
    ...made,
    ...given.map((label) => [label, { usual: null, types: 'they are there' }] as const),
  ]);
}

function sizesOf(platform: Pick<Platform, 'provider' | 'limits'>, nodes: TypesOf): LabelSizes {
  const types = typesFor(platform, nodes);
  if (providerOf(platform) === 'vm') {
    const usual = sizeWithin(withType(platform, nodes).limits);
    return { usual, types: 'virtual machines are prepared with the `limits` of their platform' };
  }
  const usual = sizeWithin(platform.limits);
  return { usual, types: Object.keys(types).length > 0 ? types : 'there are no `nodes.docker.instanceTypes`' };
}
