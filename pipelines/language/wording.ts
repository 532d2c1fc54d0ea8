import type { z } from 'zod';
import { counted } from '../model/words.ts';

type Issue = z.core.$ZodIssue;

/** What is outside of all whole numbers is outside of its key's as well: that is found after it, and enough. */
export function toldOnce(issues: readonly Issue[]): readonly Issue[] {
  return issues.filter(({ code, path }, at) => {
    const next = issues[at + 1];
    return (
      (code !== 'too_big' && code !== 'too_small') || next?.code !== code || next.path.join('.') !== path.join('.')
    );
  });
}

/**
 * What a schema found wrong, in words.
 *
 * @param issue with its input (zod's `reportInput`)
 * @param found how a value of the wrong kind is named: `quoted`, or `kindOf` where it may be secret
 */
export function wording(issue: Issue, found: (value: unknown) => string): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return `is required: ${article(issue.expected)}`;
      return customOr(issue.message, `expected ${article(issue.expected)}, found ${found(issue.input)}`);
    case 'invalid_value':
      if (issue.input === undefined) return `is required: ${issue.values.map(String).join(' or ')}`;
      return customOr(issue.message, `expected ${issue.values.map(String).join(' or ')}, found ${found(issue.input)}`);
    case 'invalid_union':
      return customOr(issue.message, `expected ${unionText(issue)}, found ${found(issue.input)}`);
    case 'too_small':
      return customOr(issue.message, `must ${limitText(issue.origin, 'at least', issue.minimum)}`);
    case 'too_big':
      return customOr(issue.message, `must ${limitText(issue.origin, 'at most', issue.maximum)}`);
    case 'invalid_key':
      return 'unknown key';
    default:
      return issue.message;
  }
}

/** The schema's own message where it has one. */
function customOr(message: string, text: string): string {
  return /^(?:Invalid|Too (?:small|big))\b/.test(message) ? text : message;
}

function limitText(origin: string, what: string, limit: number | bigint): string {
  if (origin === 'string') return `have ${what} ${counted(Number(limit), 'character')}`;
  return origin === 'array' ? `have ${what} ${counted(Number(limit), 'entry', 'entries')}` : `be ${what} ${limit}`;
}

function unionText(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const expected = issue.errors.map(([first]) =>
    first?.code === 'invalid_type' ? article(first.expected) : undefined,
  );
  return [...new Set(expected.filter((text) => text !== undefined))].join(' or ') || 'something else';
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function article(expected: string): string {
  return EXPECTED[expected] ?? expected;
}

/** The kind of a value, and nothing of what it says. */
export function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return article(typeof value);
}

/** A text or a number as it was written, of all else the kind. */
export function quoted(value: unknown): string {
  if (typeof value === 'object') return kindOf(value);
  return typeof value === 'string' ? `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"` : String(value);
}
