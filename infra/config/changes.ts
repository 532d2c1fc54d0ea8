import { isDeepStrictEqual } from 'node:util';
import type { Config } from './load.ts';
import type { Settings } from './schema.ts';

/** Keys whose values are named by users: a change is told by the name. */
const named: readonly string[] = ['connections', 'projects', 'platforms', 'mirrors'] satisfies (keyof Settings)[];

/**
 * The keys in which two configurations differ, as they are written in the file: `server.listen`, `mirrors.deb`.
 *
 * @param before and `after`: with every default filled in
 */
export function changedKeys(before: Settings, after: Settings): readonly string[] {
  return compare([], plain(before), plain(after));
}

function compare(path: readonly string[], before: unknown, after: unknown): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  const whole = path.length > 0 && named.includes(path[0] ?? '') && path.length === 2;
  if (whole || !isObject(before) || !isObject(after)) return [path.join('.')];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => compare([...path, key], before[key], after[key]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A configuration that was handed to another process has been written as JSON. */
function plain(config: Settings & Partial<Config>): unknown {
  const { file: _file, given: _given, ...settings } = config;
  return JSON.parse(JSON.stringify(settings));
}
