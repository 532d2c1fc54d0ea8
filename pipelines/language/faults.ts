import type { z } from 'zod';
import type { RawStanza } from './yaml.ts';
import type { Fault } from './yaml-document.ts';

type Issue = z.core.$ZodIssue;

/** Most faults told of one stanza: finding each one's place costs a walk through the stanza. */
const MAX_FAULTS = 50;

/** Says in words, and with a place each, what a schema found wrong with a stanza. */
export function faultsOf(stanza: RawStanza, issues: readonly Issue[], prefix: readonly PropertyKey[] = []): Fault[] {
  const found = issues
    .slice(0, MAX_FAULTS)
    .flatMap((issue) => innermost(issue, [...prefix, ...issue.path]))
    .slice(0, MAX_FAULTS);
  return found.flatMap(({ issue: cause, path }) => {
    const subject = attributeText(path);
    if (cause.code === 'unrecognized_keys') {
      return cause.keys.slice(0, MAX_FAULTS).map((key) => ({
        offset: stanza.locate(path, key),
        message: `unknown attribute "${subject === '' ? key : `${subject}.${key}`}"`,
      }));
    }
    return [
      { offset: stanza.locate(path), message: subject === '' ? wording(cause) : `${subject}: ${wording(cause)}` },
    ];
  });
}

interface Placed {
  readonly issue: Issue;
  readonly path: readonly PropertyKey[];
}

/** Of the alternatives of a union, the one that got furthest is what was meant: all that is wrong with it. */
function innermost(issue: Issue, path: readonly PropertyKey[]): readonly Placed[] {
  if (issue.code !== 'invalid_union') return [{ issue, path }];
  const branches = issue.errors.filter((errors) => errors.length > 0);
  const deep = branches.find(([first]) => first && (first.path.length > 0 || first.code !== 'invalid_type'));
  return deep?.flatMap((inner) => innermost(inner, [...path, ...inner.path])) ?? [{ issue, path }];
}

function wording(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is required'
        : `expected ${article(issue.expected)}, found ${kindOf(issue.input)}`;
    case 'invalid_value':
      return customOr(issue.message, `expected ${issue.values.map(String).join(' or ')}, found ${kindOf(issue.input)}`);
    case 'invalid_union':
      return `expected ${unionText(issue)}, found ${kindOf(issue.input)}`;
    case 'too_small':
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'invalid_key':
      return 'unknown key';
    default:
      return issue.message;
  }
}

/** The schema's own message where it has one. */
function customOr(message: string, text: string): string {
  return message.startsWith('Invalid') ? text : message;
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

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"` : String(value);
}

/** `value` is the inside of an attribute that may carry a merge mode: not something that was written. */
function attributeText(path: readonly PropertyKey[]): string {
  return path
    .filter((step) => step !== 'value')
    .map(String)
    .join('.');
}
