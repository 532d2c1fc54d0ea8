import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Operation } from './operations.ts';

/** Names and types of what GitLab's API takes and answers: `extract.ts` has made the file. */

export type Json = Readonly<Record<string, unknown>>;
/** A type's name, `[]NAME` for a list, or fields. */
type Type = string | { readonly [field: string]: Type };

const described = JSON.parse(readFileSync(join(import.meta.dirname, 'description.json'), 'utf8')) as {
  readonly operations: readonly Operation[];
  readonly types: Readonly<Record<string, Type>>;
};

const matchers = described.operations.map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
}));

/** An operation with the values of what is in braces in its path. */
export interface Asked {
  readonly operation: Operation;
  readonly given: Readonly<Record<string, string>>;
}

export function findOperation(method: string, path: string): Asked | undefined {
  for (const { operation, pattern } of matchers) {
    const match = operation.method === method ? pattern.exec(path) : null;
    if (match === null) continue;
    const given = Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]);
    return { operation, given: Object.fromEntries(given) };
  }
  return undefined;
}

/** What is asked for beside the body that the API does not know; null for nothing. */
export function faultOfRequest({ operation }: Asked, query: URLSearchParams, body: unknown): string | null {
  const { options = {} } = operation;
  const asked = Object.fromEntries(
    [...query].map(([name, value]) => [name, /^\d+$/.test(value) ? Number(value) : parseFlag(value)]),
  );
  const pages = { per_page: 'number', page: 'number' };
  const known = { ...pages, ...(typeof options === 'string' ? (described.types[options] as object) : options) };
  return faultOf(known, { ...asked, ...(body as object) }, operation.path);
}

function parseFlag(value: string): string | boolean {
  return value === 'true' || value === 'false' ? value === 'true' : value;
}

export function faultOfAnswer({ operation }: Asked, status: number, body: unknown): string | null {
  if (status !== operation.status) return `${operation.path} never answers ${status}`;
  return faultOf(operation.answer, body, operation.path);
}

/** GitLab sends null for many a thing that it has not. */
function faultOf(type: Type, value: unknown, at: string): string | null {
  if (value === null || type === 'any') return null;
  if (typeof type === 'string') {
    if (type.startsWith('[]')) return Array.isArray(value) ? faultIn(type.slice(2), value, at) : `${at} is no list`;
    if (['string', 'number', 'bool'].includes(type)) {
      return typeof value === (type === 'bool' ? 'boolean' : type) ? null : `${at} is no ${type}`;
    }
    return faultOf(described.types[type] ?? {}, value, at);
  }
  if (typeof value !== 'object' || Array.isArray(value)) return `${at} is no object`;
  for (const [name, each] of Object.entries(value as object)) {
    const field = Object.hasOwn(type, name) ? type[name] : undefined;
    const fault = field === undefined ? `${at}.${name} is not known` : faultOf(field, each, `${at}.${name}`);
    if (fault !== null) return fault;
  }
  return null;
}

function faultIn(type: string, values: readonly unknown[], at: string): string | null {
  for (const value of values) {
    const fault = faultOf(type, value, `${at}[]`);
    if (fault !== null) return fault;
  }
  return null;
}
