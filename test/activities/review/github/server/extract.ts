import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { operations } from './operations.ts';

/**
 * Makes `description.json.gz` anew: the operations that the server answers, with all schemas that they need, out of
 * GitHub's description of its whole API. Usage: `extract.ts PATH-OF-api.github.com.json`, from `@octokit/openapi`.
 */

type Json = { readonly [key: string]: unknown };

const whole = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  readonly info: Json;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, Json>>>>;
};

const kept = new Map<string, unknown>();

/** Leaves out what no check needs, and follows references. */
function slim(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(slim);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value as Json).filter(([key]) => !/^(x-|examples?$|externalDocs$)/.test(key));
  for (const [key, target] of entries) if (key === '$ref' && typeof target === 'string') keep(target);
  const told = entries.filter(([key, each]) => !(key === 'description' && typeof each === 'string'));
  return Object.fromEntries(told.map(([key, each]) => [key, slim(each)]));
}

function keep(reference: string): void {
  if (kept.has(reference)) return;
  kept.set(reference, null);
  const [, , kind = '', name = ''] = reference.split('/');
  kept.set(reference, slim(whole.components[kind]?.[name]));
}

const paths = operations.map(({ method, path }) => {
  const operation = whole.paths[path]?.[method.toLowerCase()];
  if (operation === undefined) throw new Error(`the description has no ${method} ${path}`);
  return { method, path, operation: slim(operation) };
});
const description = { version: whole.info.version, paths, components: Object.fromEntries(kept) };
writeFileSync(join(import.meta.dirname, 'description.json.gz'), gzipSync(JSON.stringify(description), { level: 9 }));
