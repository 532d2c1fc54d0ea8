import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Spot } from '../../activities/layout/declare.ts';
import type { Settings } from './schema.ts';

type Entry = Settings['projects'][string];

/** Beside the entries, not in them: whether a configuration has changed is about what it says, not where. */
const places = new WeakMap<Entry, Spot>();

/** Where the file that an entry of `projects:` was read from has the project’s templates, else the project. */
export function placeOf(entry: Entry): Spot | undefined {
  return places.get(entry);
}

/** Notes where a text of `sluice.yaml` has its projects. */
export function notePlaces(text: string, entries: Settings['projects']): void {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const projects = document.get('projects');
  if (!isMap(projects)) return;
  for (const { key, value } of projects.items) {
    const entry = isScalar(key) ? entries[String(key.value)] : undefined;
    if (!isScalar(key) || entry === undefined) continue;
    const templates = isMap(value)
      ? value.items.find((pair) => isScalar(pair.key) && pair.key.value === 'templates')
      : undefined;
    const shown = isScalar(templates?.key) ? templates.key : key;
    const { line, col } = lines.linePos(shown.range?.[0] ?? 0);
    places.set(entry, { line, column: col, name: lines.linePos(key.range?.[0] ?? 0).line });
  }
}
