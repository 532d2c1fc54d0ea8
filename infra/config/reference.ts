import { z } from 'zod';
import { configSchema } from './schema.ts';

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  /** One for each driver, or each kind. */
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
}

const introduction = `# Configuration: \`sluice.yaml\`

<!-- Written by \`node scripts/write-config-reference.ts\` from infra/config/schema.ts. -->

Everything has a default: Sluice runs without any file. \`--config FILE\` names another than \`./sluice.yaml\`.

- **Problems** are all named at once, as \`FILE:LINE:COL: message\`, and end the command with status 2.
- **References** to the environment stand in any value: \`\${NAME}\`, or \`\${NAME:-default}\`; \`$\${\` is a plain \`\${\`.
- **Relative paths** are relative to the configuration file.
- **Times** are \`60s\`, \`15m\`, \`12h\`, \`20d\`, \`8w\` or a number of seconds; **sizes** \`512MiB\`, \`2GiB\` or a number of
  bytes.
- **A running server** takes up \`projects\` and \`config-projects\` as they are written; \`sluice reload\`, or SIGHUP to
  \`sluice up\`, also \`mirrors\`, \`nodes\` (but \`nodes.static\`) and \`retention\`, and names the keys that need a restart.
  While the file differs from what runs, or is broken, \`sluice status\`, the page and the server's log say so; what was
  read before goes on.
- **A killed process** loses nothing that was answered for; **a power cut** may. The store in the server (PGlite:
  builds, releases, mirror transactions, webhooks taken in) never waits for the disk, and no setting makes it; Temporal
  does with \`temporal.durability: full\`. A PostgreSQL elsewhere, which would wait, cannot be named yet. Released trees,
  mirror transactions under way and keys are on the disk before they count, and open changes are read again from their
  hosts. PGlite vacuums nothing by itself, whatever its settings say (\`findings/\`): the server does it every two
  minutes.
- \`NAME\` in a key below stands for a name that you choose, \`N\` for a place in a list.

`;

type Row = readonly [key: string, what: string, value: string, fallback: string];

/** The reference of every key, as Markdown. */
export function configReference(): string {
  const schema = z.toJSONSchema(
    configSchema((path) => path),
    { io: 'input', unrepresentable: 'any' },
  ) as JsonSchema;
  return `${introduction}${table([['key', 'what it is', 'value', 'default'], ...rows('', schema)])}\n`;
}

function table(all: readonly Row[]): string {
  const cells = all.map((row) => row.map((text) => text.replaceAll('|', '\\|')));
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [...lines.slice(0, 1), rule, ...lines.slice(1)].join('\n');
}

function rows(prefix: string, schema: JsonSchema): Row[] {
  const named = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const required = schema.required?.includes(key) === true && value.default === undefined;
    return row(`${prefix}${key}`, value, required);
  });
  const { additionalProperties: each } = schema;
  if (typeof each !== 'object') return named;
  if (each.oneOf !== undefined) return [...named, ...each.oneOf.flatMap((kind) => kindRows(`${prefix}NAME.`, kind))];
  return each.properties === undefined ? named : [...named, ...rows(`${prefix}NAME.`, each)];
}

/** The keys of one driver or kind, each with its name in front. */
function kindRows(prefix: string, kind: JsonSchema): Row[] {
  const [told = '', { const: name } = {}] =
    Object.entries(kind.properties ?? {}).find(([, value]) => value.const !== undefined) ?? [];
  return rows(prefix, kind).map(([key, what, value, fallback]) => [
    key,
    key === `\`${prefix}${told}\`` ? what : `\`${name}\`: ${what}`,
    value,
    fallback,
  ]);
}

function row(name: string, schema: JsonSchema, required: boolean): Row[] {
  const fallback = required ? '(must be given)' : defaultText(schema);
  const line: Row = [`\`${name}\``, schema.description ?? '', valueText(schema), fallback];
  const each = (schema.items?.oneOf ?? []).flatMap((kind) => kindRows(`${name}.N.`, kind));
  return [line, ...rows(`${name}.`, schema), ...each];
}

function valueText(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(valueText))].join(' or ');
  if (schema.items?.oneOf !== undefined) return 'list of texts or maps';
  if (schema.type === 'array') return `list of ${valueText(schema.items ?? {})}s`;
  return schema.type === 'object' ? 'map' : (schema.type ?? 'text').replace('string', 'text');
}

function defaultText(schema: JsonSchema): string {
  const { default: value } = schema;
  if (value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
