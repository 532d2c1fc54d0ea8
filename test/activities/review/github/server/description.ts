import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Ajv, type ValidateFunction } from 'ajv';

/** GitHub's own description of its API, as far as the server answers: `extract.ts` has made it. */

export type Json = Readonly<Record<string, unknown>>;

interface Content {
  readonly content?: { readonly 'application/json'?: { readonly schema?: Json } };
}

interface Operation {
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, (Content & { readonly $ref?: string }) | undefined>>;
}

interface Described {
  readonly version: string;
  readonly paths: readonly { readonly method: string; readonly path: string; readonly operation: Operation }[];
  readonly components: Readonly<Record<string, Json>>;
}

const text = gunzipSync(readFileSync(join(import.meta.dirname, 'description.json.gz'))).toString();
const described = JSON.parse(text) as Described;

const root = 'https://example.org/description';
const ajv = new Ajv({ strict: false, validateFormats: false, logger: false });
ajv.addSchema(strict({ $id: root, components: nested(), operations: described.paths }) as Json);

/** `nullable` is OpenAPI's word, and no schema's. */
function strict(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strict);
  if (value === null || typeof value !== 'object') return value;
  const { nullable, ...rest } = value as Json;
  const plain = Object.fromEntries(Object.entries(rest).map(([key, each]) => [key, strict(each)]));
  return nullable === true ? { anyOf: [plain, { type: 'null' }] } : plain;
}

/** References are paths: `#/components/schemas/NAME`. */
function nested(): Json {
  const kinds: Record<string, Record<string, unknown>> = {};
  for (const [reference, component] of Object.entries(described.components)) {
    const [, , kind = '', name = ''] = reference.split('/');
    kinds[kind] = { ...kinds[kind], [name]: component };
  }
  return kinds;
}

/** An operation with the values of what is in braces in its path. */
export interface Asked {
  readonly route: string;
  readonly index: number;
  readonly given: Readonly<Record<string, string>>;
}

const matchers = described.paths.map(({ method, path }, index) => ({
  method,
  index,
  route: `${method} ${path}`,
  pattern: new RegExp(`^${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
}));

/** The operation that a request is; undefined for one that the server does not have. */
export function findOperation(method: string, path: string): Asked | undefined {
  for (const { index, route, pattern, ...one } of matchers) {
    const match = one.method === method ? pattern.exec(path) : null;
    if (match === null) continue;
    const given = Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]);
    return { route, index, given: Object.fromEntries(given) };
  }
  return undefined;
}

const compiled = new Map<string, ValidateFunction>();

function validator(pointer: string): ValidateFunction {
  const known = compiled.get(pointer);
  if (known !== undefined) return known;
  const made = ajv.compile({ $ref: `${root}#${pointer}` });
  compiled.set(pointer, made);
  return made;
}

const schemaIn = 'content/application~1json/schema';

/** What is wrong with a request's body, by the description; null when nothing is. */
export function faultOfRequest({ index }: Asked, body: unknown): string | null {
  if (described.paths[index]?.operation.requestBody?.content?.['application/json']?.schema === undefined) return null;
  return faultOf(`/operations/${index}/operation/requestBody/${schemaIn}`, body ?? {});
}

/** What is wrong with an answer, by the description; null when nothing is. */
export function faultOfAnswer({ index, route }: Asked, status: number, body: unknown): string | null {
  const response = described.paths[index]?.operation.responses[status];
  if (response === undefined) return `${route} never answers ${status}`;
  const at = response.$ref?.slice(1) ?? `/operations/${index}/operation/responses/${status}`;
  const target = response.$ref === undefined ? response : (described.components[response.$ref] as Content | undefined);
  if (target?.content?.['application/json']?.schema === undefined) return null;
  return faultOf(`${at}/${schemaIn}`, body);
}

function faultOf(pointer: string, value: unknown): string | null {
  const validate = validator(pointer);
  return validate(value) ? null : ajv.errorsText(validate.errors?.slice(0, 9));
}

/** A schema by its name in the description. */
export function schemaNamed(name: string): Json {
  return resolve({ $ref: `#/components/schemas/${name}` });
}

function resolve(schema: Json): Json {
  if (typeof schema.$ref !== 'string') return schema;
  const target = described.components[schema.$ref];
  if (target === undefined) throw new Error(`the description has no ${schema.$ref}`);
  return resolve(target);
}

/**
 * An object of a schema: what is known of it, and for every other property that it must have a value without meaning.
 */
export function fill(name: string, known: Json): Json {
  return fillObject(schemaNamed(name), known);
}

function fillObject(schema: Json, known: Json): Json {
  const parts = ((schema.allOf as readonly Json[] | undefined) ?? []).map(resolve);
  const all = [schema, ...parts];
  const properties = Object.assign({}, ...all.map((one) => one.properties ?? {})) as Readonly<Record<string, Json>>;
  const required = new Set(all.flatMap((one) => (one.required as readonly string[] | undefined) ?? []));
  const rest = [...required].filter((key) => !(key in known));
  return { ...Object.fromEntries(rest.map((key) => [key, empty(properties[key] ?? {})])), ...known };
}

function empty(given: Json): unknown {
  const schema = resolve(given);
  if (schema.nullable === true) return null;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const choice = (schema.anyOf ?? schema.oneOf) as readonly Json[] | undefined;
  if (choice !== undefined && schema.type === undefined) return empty(choice[0] ?? {});
  switch (schema.type) {
    case 'array':
      return [];
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
      return 0;
    case 'string':
      return schema.format === 'date-time' ? '2026-01-01T00:00:00Z' : '';
    default:
      return fillObject(schema, {});
  }
}
