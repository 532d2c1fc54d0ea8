import { z } from 'zod';
import { writtenSeconds } from '../../model/duration.ts';
import { Pattern } from '../pattern.ts';
import { quoted } from '../wording.ts';
import { Tagged } from '../yaml.ts';

/** A name by which something is found. */
export const nonEmpty = z.string().min(1);
export const namedObject = z.object({ name: nonEmpty });

/** An attribute with its merge mode: undefined means the attribute's own default. */
export interface Merged<T> {
  readonly override: boolean | undefined;
  readonly value: T;
}

/** X or a list of X, read as a list; what is not there is none. */
export function oneOrMany<T extends z.ZodType>(item: T) {
  return z.preprocess((value) => (Array.isArray(value) || value === undefined ? value : [value]), z.array(item));
}

/** An attribute that may carry `!override` or `!inherit`. */
export function merged<T extends z.ZodType>(schema: T) {
  return z
    .preprocess(
      (value) => (value instanceof Tagged ? value : { override: undefined, value }),
      z.object({ override: z.boolean().optional(), value: schema }),
    )
    .transform((written) => written as Merged<z.output<T>>);
}

/** Seconds; Sluice also reads `90s`, `2m`, `1h` and `1d`. */
export const seconds = z.preprocess(
  writtenSeconds,
  z.int({ error: ({ input }) => `expected seconds, or a time such as 90s, 2m or 1h, found ${quoted(input)}` }),
);

/** A regular expression, plain or as `{regex, negate}`. */
export const pattern = z
  .union([z.string(), z.strictObject({ regex: z.string(), negate: z.boolean().optional() })])
  .transform((value, context): Pattern => {
    try {
      return typeof value === 'string' ? Pattern.of(value) : Pattern.of(value.regex, value.negate ?? false);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });

/** The text of a regular expression, for where RE2 is asked and nothing else is understood. */
export const expression = z.string().superRefine((source, context) => {
  const message = faultOfExpression(source);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** @returns why an expression is not RE2 */
export function faultOfExpression(source: string): string | undefined {
  try {
    return Pattern.of(source).deprecation;
  } catch (error) {
    return (error as Error).message;
  }
}

const RESERVED_VARIABLES = new Set(['zuul', 'zuul_node', 'nodepool', 'unsafe_vars', 'zuul_user_dir']);
const RESERVED_IN_JOBS = new Set([
  ...RESERVED_VARIABLES,
  'ansible_connection',
  'ansible_host',
  'ansible_python_interpreter',
  'ansible_shell_executable',
  'ansible_user',
]);

function variablesExcept(reserved: ReadonlySet<string>) {
  return z.record(z.string(), z.unknown()).superRefine((variables, context) => {
    for (const name of Object.keys(variables)) {
      if (reserved.has(name))
        context.addIssue({ code: 'custom', path: [name], message: `variable "${name}" is reserved` });
      if (/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name)) continue;
      const message = `"${name}" is not a variable name: letters, digits and underscores, beginning with a letter`;
      context.addIssue({ code: 'custom', path: [name], message });
    }
  });
}

/** Variables of a project or template. */
export const projectVariables = variablesExcept(RESERVED_VARIABLES);
/** Variables of a job: what would change how a node is reached is reserved too. */
export const jobVariables = variablesExcept(RESERVED_IN_JOBS);

/** A name that is safe to show and to build identifiers from. */
export const variableName = z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]*$/, {
  message: 'expected a name of letters, digits and underscores, beginning with a letter',
});
