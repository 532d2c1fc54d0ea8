import { RE2JS } from 're2js';

/** A pattern as configurations write it: a string, or an object that may negate it. */
export type PatternSource = string | { readonly regex: string; readonly negate?: boolean };

const compiled = new Map<string, RE2JS | null>();

/** Whether the text begins with a match of the pattern. A pattern that is not valid matches nothing. */
export function matchesStart(source: unknown, text: string): boolean {
  return test(source, (expression) => expression.matcher(text).lookingAt());
}

/** Whether the pattern matches anywhere in the text. */
export function matchesSomewhere(source: unknown, text: string): boolean {
  return test(source, (expression) => expression.matcher(text).find());
}

function test(source: unknown, matches: (expression: RE2JS) => boolean): boolean {
  const { regex, negate } = normalized(source);
  const expression = compile(regex);
  return expression !== null && matches(expression) !== negate;
}

function normalized(source: unknown): { regex: string; negate: boolean } {
  if (typeof source !== 'object' || source === null) return { regex: String(source), negate: false };
  const { regex, negate } = source as { regex?: unknown; negate?: unknown };
  return { regex: String(regex), negate: negate === true };
}

function compile(regex: string): RE2JS | null {
  const found = compiled.get(regex);
  if (found !== undefined) return found;
  let made: RE2JS | null = null;
  try {
    made = RE2JS.compile(regex);
  } catch {
    made = null;
  }
  compiled.set(regex, made);
  return made;
}

/** A value, a list of values, or nothing, as a list. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
