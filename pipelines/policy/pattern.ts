import { Pattern } from '../language/pattern.ts';

const compiled = new Map<string, Pattern | null>();

/**
 * Whether the text begins with a match of a pattern as configurations write it: a string, or an object `{regex, negate}`.
 * A pattern that is not valid matches nothing.
 */
export function matchesStart(source: unknown, text: string): boolean {
  return compile(source)?.matches(text) === true;
}

/** Whether the pattern matches anywhere in the text. */
export function matchesSomewhere(source: unknown, text: string): boolean {
  return compile(source)?.matchesSomewhere(text) === true;
}

/** Whether the whole text is a match of the pattern. */
export function matchesWhole(source: unknown, text: string): boolean {
  return compile(source)?.matchesWhole(text) === true;
}

function compile(source: unknown): Pattern | null {
  const key = JSON.stringify(source);
  const found = compiled.get(key);
  if (found !== undefined) return found;
  const made = make(source);
  compiled.set(key, made);
  return made;
}

function make(source: unknown): Pattern | null {
  const { regex, negate } = (typeof source === 'object' && source !== null ? source : { regex: source }) as {
    readonly regex?: unknown;
    readonly negate?: unknown;
  };
  try {
    return Pattern.of(String(regex), negate === true);
  } catch {
    return null;
  }
}

/** A value, a list of values, or nothing, as a list. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
