import type { z } from 'zod';
import { defaultTenant, type TenantSettings, tenantSettings } from '../language/language.ts';
import { asking } from '../language/near-key.ts';
import { unusedKeys } from '../language/tenant-unused.ts';
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
  if (source.problems.length > 0) return { problems: source.inOrder() };
  const raw = scenarioSchema.safeParse(source.value(), asking);
  if (!raw.success) {
    source.reportIssues(raw.error.issues, []);
    checkParts(source);
    return { problems: source.inOrder() };
  }
  const { data } = raw;
  const events = readEvents(source, data.events);
  checkStart(source, data.start);
  checkConfig(source, data.config, ['config']);
  const tenant = readTenant(source, data.tenant);
  const changes = Object.entries(data.changes).map(([name, change]) => readChange(name, change));
  checkScenario(source, changes, { outcomes: data.outcomes, events, expect: data.expect });
  if (source.problems.length > 0) return { problems: source.inOrder() };
  const start = Date.parse(data.start);
  return {
    scenario: {
      path,
      title: data.scenario,
      config: readConfig(data.config),
      labels: data.labels,
      tenant,
      warnings: warningsOf(source, data.tenant),
      changes,
      outcomes: data.outcomes.map(readOutcome),
      events: events.map(({ event }) => event).sort((a, b) => a.at - b.at),
      start,
      until: data.until,
      expect: data.expect && readExpectation(data.expect),
    },
  };
}

/** What has its shape is checked although something beside it has not. */
function checkParts(source: Source): void {
  const given = source.value() as Readonly<Record<string, unknown>>;
  const { shape } = scenarioSchema;
  const sound = <T extends z.ZodType>(schema: T, key: keyof typeof shape) => schema.safeParse(given[key]).data;
  const start = sound(shape.start, 'start');
  const config = sound(shape.config, 'config');
  const tenant = sound(shape.tenant, 'tenant');
  if (start !== undefined) checkStart(source, start);
  if (config !== undefined) checkConfig(source, config, ['config']);
  if (tenant !== undefined) readTenant(source, tenant);
  const events = readEvents(source, sound(shape.events, 'events') ?? []);
  const raw = sound(shape.changes, 'changes');
  // Without all changes, nobody knows which are unknown.
  if (raw === undefined) return;
  const changes = Object.entries(raw).map(([name, change]) => readChange(name, change));
  const outcomes = sound(shape.outcomes, 'outcomes') ?? [];
  checkScenario(source, changes, { outcomes, events, expect: sound(shape.expect, 'expect') });
}

function checkStart(source: Source, start: string): void {
  if (Number.isNaN(Date.parse(start))) source.report(['start'], 'must be a time such as 2030-01-07T00:00:00Z');
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

/** As `config check` has them of a tenant file. */
function warningsOf(source: Source, keys: Parameters<typeof tenantSettings>[0]): readonly Problem[] {
  const found = [...unusedKeys(keys, keys.source)];
  return found.map(({ path, key, message }) => source.warning(['tenant', ...path, key], `tenant: ${message}`));
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
