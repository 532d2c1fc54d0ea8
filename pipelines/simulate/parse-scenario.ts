import { defaultTenant, type TenantSettings, tenantSettings } from '../language/language.ts';
import type { Problem } from '../model/position.ts';
import { checkScenario, type PlacedEvent } from './check-scenario.ts';
import { readEvent } from './read-event.ts';
import { checkConfig, readChange, readConfig, readExpectation, readOutcome } from './read-parts.ts';
import type { Scenario } from './scenario.ts';
import { scenarioSchema } from './schema.ts';
import { Source } from './source.ts';

/** A scenario, or everything that is wrong with it. */
export type ParsedScenario = { readonly scenario: Scenario } | { readonly problems: readonly Problem[] };

/**
 * Reads a scenario file.
 *
 * @param path the file's name, for messages
 */
export function parseScenario(text: string, path: string): ParsedScenario {
  const source = new Source(text, path);
  if (source.problems.length > 0) return { problems: source.problems };
  const raw = scenarioSchema.safeParse(source.value());
  if (!raw.success) source.reportIssues(raw.error.issues, []);
  const events = raw.success ? readEvents(source, raw.data.events) : [];
  if (!raw.success || source.problems.length > 0) return { problems: source.problems };
  const { data } = raw;
  const start = Date.parse(data.start);
  if (Number.isNaN(start)) source.report(['start'], 'must be a time such as 2030-01-07T00:00:00Z');
  checkConfig(source, data.config, ['config']);
  const tenant = readTenant(source, data.tenant);
  const changes = Object.entries(data.changes).map(([name, change]) => readChange(name, change));
  checkScenario(source, changes, { outcomes: data.outcomes, events, expect: data.expect });
  if (source.problems.length > 0) return { problems: source.problems };
  return {
    scenario: {
      path,
      title: data.scenario,
      config: readConfig(data.config),
      labels: data.labels,
      tenant,
      changes,
      outcomes: data.outcomes.map(readOutcome),
      events: events.map(({ event }) => event).sort((a, b) => a.at - b.at),
      start,
      until: data.until,
      expect: data.expect && readExpectation(data.expect),
    },
  };
}

function readTenant(source: Source, keys: Parameters<typeof tenantSettings>[0]): TenantSettings {
  try {
    return tenantSettings(keys);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    source.report(['tenant'], error.message);
    return defaultTenant;
  }
}

function readEvents(source: Source, raw: readonly Readonly<Record<string, unknown>>[]): readonly PlacedEvent[] {
  const events: PlacedEvent[] = [];
  let at = 0;
  raw.forEach((one, index) => {
    const placed = readEvent(source, one, { at, index });
    if (!placed) return;
    at = placed.event.at;
    events.push(placed);
  });
  return events;
}
