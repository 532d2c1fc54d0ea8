import type { GivenContext } from '../../activities/nodes/registry.ts';
import type { GivenSettings } from '../../activities/nodes/static/settings.ts';
import { readSecret } from '../../activities/review/secret.ts';
import type { StackConfig } from '../stack/settings.ts';

/** Whether the static machines of a label take what nobody has reviewed. */
export function takesUnreviewed({ static: machines }: StackConfig['nodes']): (label: string) => boolean {
  const taken = Object.values(machines).filter(({ unreviewed }) => unreviewed);
  return (label) => taken.some(({ labels }) => labels.includes(label));
}

/** The labels of static machines that take only what was reviewed. */
export function reviewedLabels(nodes: StackConfig['nodes']): readonly string[] {
  const unreviewed = takesUnreviewed(nodes);
  const all = Object.values(nodes.static).flatMap(({ labels }) => labels);
  return [...new Set(all)].filter((label) => !unreviewed(label));
}

/** What a worker lends static machines by. */
export function givenContext({ nodes, server }: Pick<StackConfig, 'nodes' | 'server'>): GivenContext {
  return { machines: givenMachines(nodes), urlInside: asSeenFromAfar(server.url) };
}

/** Repositories are offered by an address for containers of this host: machines elsewhere are told that of users. */
export function asSeenFromAfar(own: string): GivenContext['urlInside'] {
  if (/^(127\.|localhost$|\[::1\]$)/.test(new URL(own).hostname)) return undefined;
  return (url) => {
    const { pathname } = new URL(url);
    return /^\/(repositories|released)\//.test(pathname) ? `${own.replace(/\/+$/, '')}${pathname}` : url;
  };
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
