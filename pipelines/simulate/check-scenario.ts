import { Pattern } from '../language/language.ts';
import type { ScenarioChange, ScenarioEvent } from './scenario.ts';
import type { RawExpectation, RawOutcome } from './schema.ts';
import type { Source } from './source.ts';

/** An event with its place in the file and, for a check, what it says. */
export interface PlacedEvent {
  readonly event: ScenarioEvent;
  readonly index: number;
  readonly check?: RawExpectation;
}

type Path = readonly PropertyKey[];

/** Reports what the shape of a scenario does not show: unknown names, and what makes no sense by itself. */
export function checkScenario(
  source: Source,
  changes: readonly ScenarioChange[],
  of: {
    readonly outcomes: readonly RawOutcome[];
    readonly events: readonly PlacedEvent[];
    readonly expect: RawExpectation | undefined;
  },
): void {
  const known = new Set(changes.map(({ name }) => name));
  const check = (names: readonly string[], at: Path) => {
    for (const name of names) if (!known.has(name)) source.report(at, `unknown change "${name}"`);
  };
  for (const change of changes) {
    check(change.dependsOn, ['changes', change.name, 'depends-on']);
    check(change.conflicts, ['changes', change.name, 'conflicts']);
    if (change.parent !== undefined) check([change.parent], ['changes', change.name, 'parent']);
  }
  of.outcomes.forEach((outcome, index) => {
    for (const key of ['change', 'ahead', 'without'] as const) check(outcome[key] ?? [], ['outcomes', index, key]);
    checkExpression(source, outcome.job, ['outcomes', index, 'job']);
  });
  for (const { event, index, check: expected } of of.events) {
    if ('change' in event) check([event.change], ['events', index, event.kind]);
    if ('changes' in event) check(event.changes, ['events', index, event.kind]);
    if ('dependsOn' in event) check(event.dependsOn ?? [], ['events', index, 'depends-on']);
    if (expected) checkExpectation(source, expected, { at: ['events', index, 'check'], known });
  }
  if (of.expect) checkExpectation(source, of.expect, { at: ['expect'], known });
}

function checkExpression(source: Source, job: string | undefined, at: Path): void {
  if (!job?.startsWith('^')) return;
  try {
    Pattern.of(job);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    source.report(at, error.message);
  }
}

const lists = [
  ...(['reports', 'ordered-reports', 'builds', 'builds-include', 'builds-exclude', 'running'] as const),
  'messages-include',
] as const;

function checkExpectation(
  source: Source,
  expected: RawExpectation,
  of: { readonly at: Path; readonly known: ReadonlySet<string> },
): void {
  const { at, known } = of;
  // Branches and tags go by the names of their refs.
  const check = (name: string | undefined, path: Path) => {
    if (name === undefined || known.has(name) || name.startsWith('refs/')) return;
    source.report([...at, ...path], `unknown change "${name}"`);
  };
  for (const key of ['merged', 'queue'] as const)
    expected[key]?.forEach((name, index) => {
      check(name, [key, index]);
    });
  for (const key of lists)
    expected[key]?.forEach((entry, index) => {
      check(entry.change, [key, index, 'change']);
      if ('changes' in entry) for (const name of entry.changes ?? []) check(name, [key, index, 'changes']);
    });
  for (const key of ['queue', 'window'] as const) {
    if (expected[key] !== undefined && expected.pipeline === undefined)
      source.report([...at, key], `${key} needs "pipeline" beside it`);
  }
}
