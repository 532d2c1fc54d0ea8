import type { ConfigSource } from '../../pipelines/language/language.ts';
import { shippedProject } from '../../pipelines/model/shipped.ts';

/** Where `sluice.yaml` has the templates of a project, else the project; both count from 1. */
export interface Spot {
  readonly line: number;
  readonly column: number;
  /** Line of the project's name. */
  readonly name: number;
}

/** What `sluice.yaml` says of a project in the pipelines' language. */
export interface DeclaredProject {
  readonly name: string;
  readonly queue?: string;
  readonly templates: readonly string[];
  /** Absent where it is not known. */
  readonly at?: Spot;
}

/**
 * The projects of `sluice.yaml` as stanzas of the pipelines' language; JSON is YAML. What can be wrong with them, the
 * templates, stands where the file has it, as far as there is room: messages tell line and column.
 */
export function declare(projects: readonly DeclaredProject[]): ConfigSource {
  const queues = [...new Set(projects.flatMap(({ queue }) => queue ?? []))];
  let text = `[${queues.map((name) => JSON.stringify({ queue: { name } })).join(',')}`;
  const placed = projects.toSorted((a, b) => lineOf(a) - lineOf(b));
  for (const [index, { name, queue, templates, at }] of placed.entries()) {
    const head = JSON.stringify({ name, ...(queue === undefined ? {} : { queue }) }).slice(0, -1);
    if (index + queues.length > 0) text += ',';
    if (at !== undefined) text = goTo(text, { line: at.name, column: 1 });
    text += `{"project":${head},`;
    if (at !== undefined) text = goTo(text, at);
    text += `"templates":${JSON.stringify(templates)}}}`;
  }
  return { project: shippedProject, branch: 'master', trusted: true, path: 'sluice.yaml', text: `${text}]` };
}

function lineOf({ at }: DeclaredProject): number {
  return at?.name ?? 0;
}

/** A text that goes on at a place, if that is still to come; two projects on one line are told to be on it. */
function goTo(text: string, { line, column }: Pick<Spot, 'line' | 'column'>): string {
  const lines = text.split('\n');
  if (line > lines.length) return `${text}${'\n'.repeat(line - lines.length)}${' '.repeat(column - 1)}`;
  return line === lines.length ? text.padEnd(text.length - (lines.at(-1)?.length ?? 0) + column - 1) : text;
}
