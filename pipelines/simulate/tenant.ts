import type { TenantSettings } from '../language/language.ts';

/** The keys of a tenant object that a scenario may set, over the presets. Keys that mean nothing here are ignored. */
export function readTenant(raw: Readonly<Record<string, unknown>>, presets: TenantSettings): TenantSettings {
  const number = (key: string) => (typeof raw[key] === 'number' ? raw[key] : undefined);
  const names = (key: string) => (Array.isArray(raw[key]) ? raw[key].map(String) : undefined);
  const maxChanges = number('max-changes-per-pipeline');
  const maxDependencies = number('max-dependencies');
  const triggers = names('allowed-triggers');
  const reporters = names('allowed-reporters');
  return {
    ...presets,
    defaultParent: typeof raw['default-parent'] === 'string' ? raw['default-parent'] : presets.defaultParent,
    maxNodesPerJob: number('max-nodes-per-job') ?? presets.maxNodesPerJob,
    maxJobTimeout: number('max-job-timeout') ?? presets.maxJobTimeout,
    ...(maxChanges === undefined ? {} : { maxChangesPerPipeline: maxChanges }),
    ...(maxDependencies === undefined ? {} : { maxDependencies }),
    ...(triggers === undefined ? {} : { allowedTriggers: triggers }),
    ...(reporters === undefined ? {} : { allowedReporters: reporters }),
  };
}
