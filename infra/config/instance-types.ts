import { type Platform, type PlatformProvider, providerOf } from '../../pipelines/model/platform.ts';
import { sizeWithin } from '../../pipelines/nodes/capacity.ts';
import { type InstanceTypes, sizedAs, smallestType } from '../../pipelines/nodes/instance-types.ts';
import { builtInPlatforms } from '../images/platforms.ts';
import type { Fault } from './fault.ts';

/** Types of machines, by provider. */
export type TypesOf = Readonly<
  Record<Exclude<PlatformProvider, 'static'>, { readonly instanceTypes?: InstanceTypes | undefined }>
>;

type Sized = Pick<Platform, 'provider' | 'limits'>;

/** A platform whose nodes have all that the smallest type has that its limits fit into. */
export function withType<P extends Sized>(platform: P, nodes: TypesOf): P {
  const types = typesFor(platform, nodes);
  return sizedAs(platform, types[smallestType(types, sizeWithin(platform.limits)) ?? '']);
}

/** Platforms whose limits are more than any type has. */
export function typeFaults(
  nodes: TypesOf,
  platforms: Readonly<Record<string, { readonly provider: 'docker' | 'vm'; readonly limits: Platform['limits'] }>>,
): readonly Fault[] {
  const builtIn: Readonly<Record<string, Sized>> = Object.fromEntries(
    builtInPlatforms.map((each) => [each.name, each]),
  );
  const tooLarge = Object.entries<Sized>({ ...builtIn, ...platforms }).filter(([, platform]) => {
    const types = typesFor(platform, nodes);
    return Object.keys(types).length > 0 && smallestType(types, sizeWithin(platform.limits)) === null;
  });
  // The built-in ones are alike: they are told of in one line.
  const alike = Map.groupBy(tooLarge, ([, platform]) =>
    JSON.stringify([providerOf(platform), sizeWithin(platform.limits)]),
  );
  return [...alike.values()].flatMap((group) => {
    const names = group.map(([name]) => name).join(', ');
    return group.slice(0, 1).map(([, platform]) => {
      const { cores, ramGb } = sizeWithin(platform.limits);
      const message = `none has the ${cores} cores and ${ramGb} GB that the \`limits\` of ${names} are`;
      return { path: [providerOf(platform), 'instanceTypes'], message };
    });
  });
}

export function typesFor(platform: Pick<Platform, 'provider'>, nodes: TypesOf): InstanceTypes {
  const provider = providerOf(platform);
  return provider === 'static' ? {} : (nodes[provider].instanceTypes ?? {});
}
