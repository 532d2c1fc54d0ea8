import type { Problem } from '../model/position.ts';
import { readEvent } from './read-event.ts';
import { checkConfig, readChange, readConfig, readExpectation, readOutcome } from './read-parts.ts';
import type { Scenario, ScenarioChange, ScenarioEvent } from './scenario.ts';
import { type RawOutcome, scenarioSchema } from './schema.ts';
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
  const changes = Object.entries(data.changes).map(([name, change]) => readChange(name, change));
  checkNames(source, changes, { outcomes: data.outcomes, events });
  if (source.problems.length > 0) return { problems: source.problems };
  return {
    scenario: {
      path,
      title: data.scenario,
      config: readConfig(data.config),
      labels: data.labels,
      tenant: data.tenant,
      changes,
      outcomes: data.outcomes.map(readOutcome),
      events: events.map(({ event }) => event).sort((a, b) => a.at - b.at),
      start,
      until: data.until,
      expect: data.expect && readExpectation(data.expect),
    },
  };
}

/** An event with its place in the file. */
interface PlacedEvent {
  readonly event: ScenarioEvent;
  readonly index: number;
}

function readEvents(source: Source, raw: readonly Readonly<Record<string, unknown>>[]): readonly PlacedEvent[] {
  const events: PlacedEvent[] = [];
  let at = 0;
  raw.forEach((one, index) => {
    const event = readEvent(source, one, { at, index });
    if (!event) return;
    at = event.at;
    events.push({ event, index });
  });
  return events;
}

/** Names must be those of changes. */
function checkNames(
  source: Source,
  changes: readonly ScenarioChange[],
  of: { readonly outcomes: readonly RawOutcome[]; readonly events: readonly PlacedEvent[] },
): void {
  const known = new Set(changes.map(({ name }) => name));
  const check = (names: readonly string[], at: readonly PropertyKey[]) => {
    for (const name of names) if (!known.has(name)) source.report(at, `unknown change "${name}"`);
  };
  for (const change of changes) {
    check(change.dependsOn, ['changes', change.name, 'depends-on']);
    check(change.conflicts, ['changes', change.name, 'conflicts']);
    if (change.parent !== undefined) check([change.parent], ['changes', change.name, 'parent']);
  }
  of.outcomes.forEach((outcome, index) => {
    for (const key of ['change', 'ahead', 'without'] as const) check(outcome[key] ?? [], ['outcomes', index, key]);
  });
  for (const { event, index } of of.events) {
    if ('change' in event) check([event.change], ['events', index, event.kind]);
    if ('changes' in event) check(event.changes, ['events', index, event.kind]);
    if ('dependsOn' in event) check(event.dependsOn ?? [], ['events', index, 'depends-on']);
  }
}
