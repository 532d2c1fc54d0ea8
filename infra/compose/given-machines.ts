import type { GivenSettings } from '../../activities/nodes/static/settings.ts';
import { readSecret } from '../../activities/review/secret.ts';
import type { StackConfig } from '../stack/settings.ts';

/** Whether the static machines of a label take what nobody has reviewed. */
export function takesUnreviewed({ static: machines }: StackConfig['nodes']): (label: string) => boolean {
  const taken = Object.values(machines).filter(({ unreviewed }) => unreviewed);
  return (label) => taken.some(({ labels }) => labels.includes(label));
}

/** The static machines of a configuration, with their keys where they are. */
export function givenMachines({ static: machines }: StackConfig['nodes']): readonly GivenSettings[] {
  return Object.entries(machines).map(([name, { key, clean, cleanTimeout, ...machine }]) => ({
    ...{ name, ...machine },
    key: () => readSecret(key),
    clean: typeof clean === 'string' ? ['/bin/sh', '-euc', clean] : clean,
    cleanTimeout: cleanTimeout * 1000,
  }));
}
