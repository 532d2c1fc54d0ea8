import type { ConfigPart, Expectation, Outcome, ScenarioChange, ScenarioConfig } from './scenario.ts';
import type { RawChange, RawConfig, RawExpectation, RawOutcome } from './schema.ts';
import type { Source } from './source.ts';

/** Configuration text must be YAML, whatever it then says. */
export function checkConfig(source: Source, config: RawConfig, at: readonly PropertyKey[]): void {
  if (typeof config === 'string') source.checkYaml(config, at);
  if (!Array.isArray(config)) return;
  for (const [index, part] of config.entries()) if ('text' in part) source.checkYaml(part.text, [...at, index, 'text']);
}

/** A change with what follows from its other keys. */
export function readChange(name: string, raw: RawChange): ScenarioChange {
  const files = raw.files ?? (raw.config === undefined ? ['README.md'] : []);
  const own = raw.config === undefined || files.includes('.zuul.yaml') ? [] : ['.zuul.yaml'];
  return {
    name,
    project: raw.project,
    branch: raw.branch,
    patchset: raw.patchset,
    files: [...files, ...own],
    message: raw.message,
    owner: raw.owner,
    dependsOn: raw['depends-on'],
    conflicts: raw.conflicts,
    tag: raw.tag,
    mergeable: raw.mergeable,
    refuseSubmit: raw.submit === 'refuse',
    labels: raw.labels,
    ...(raw.topic === undefined ? {} : { topic: raw.topic }),
    ...(raw.parent === undefined ? {} : { parent: raw.parent }),
    ...(raw.config === undefined ? {} : { config: raw.config }),
    ...(raw.ref === undefined ? {} : { ref: raw.ref }),
  };
}

/** The configuration of a scenario or of an event in it. */
export function readConfig(raw: RawConfig): ScenarioConfig {
  const own = { project: 'config', trusted: true, branch: 'master' };
  if (typeof raw === 'string') return [{ kind: 'file', file: { ...own, path: '.zuul.yaml', text: raw } }];
  if (Array.isArray(raw)) return raw.map(readPart);
  const path = 'path' in raw ? [{ kind: 'path' as const, at: { ...own, path: raw.path } }] : [];
  return [...(raw.defaults ? [{ kind: 'defaults' as const }] : []), ...path];
}

function readPart(raw: Extract<RawConfig, readonly unknown[]>[number]): ConfigPart {
  if ('defaults' in raw) return { kind: 'defaults' };
  return 'text' in raw ? { kind: 'file', file: raw } : { kind: 'path', at: raw };
}

export function readOutcome(raw: RawOutcome): Outcome {
  const { 'early-failure': earlyFailure, 'child-jobs': childJobs, ...rest } = raw;
  const early = earlyFailure === undefined ? {} : { earlyFailure };
  const children = childJobs === undefined ? {} : { childJobs };
  return { ...(rest as Omit<Outcome, 'earlyFailure' | 'childJobs'>), ...early, ...children };
}

/** Turns the keys of a file into those of the program. */
export function readExpectation(raw: RawExpectation): Expectation {
  const camel = (key: string) => key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [camel(key), value])) as Expectation;
}
