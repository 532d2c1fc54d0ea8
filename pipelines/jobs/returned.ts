import { z } from 'zod';
import { isForged } from '../model/forged.ts';
import type { Artifact } from '../model/job.ts';
import { boundedComments, type LineComment } from '../model/line-comment.ts';
import { mergeVariables } from '../model/merge-variables.ts';

/** What a job's programs have returned, one after the other. */
export interface Returned {
  readonly logUrl?: string;
  /** With URLs as they were written: relative ones are below `logUrl`, which a later program may return. */
  readonly artifacts: readonly Artifact[];
  readonly childJobs?: readonly string[];
  readonly pause: boolean;
  /** False: a failure before `run` is final. */
  readonly retry: boolean;
  readonly remarks: readonly string[];
  /** Absent: none, and what was returned to an older release. */
  readonly comments?: readonly LineComment[];
  readonly data: Readonly<Record<string, unknown>>;
}

export const nothingReturned: Returned = { artifacts: [], pause: false, retry: true, remarks: [], data: {} };

/** Remarks that a report has room for, and characters of each. */
const mostRemarks = 20;
const longestRemark = 300;

const webAddress = z.url({ protocol: /^https?$/ });
const artifact = z.object({
  name: z.string().min(1),
  url: z
    .string()
    .min(1)
    .refine((url) => !URL.canParse(url) || webAddress.safeParse(url).success),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
const comment = z.object({
  line: z.int().min(0).optional(),
  message: z.string(),
  level: z.enum(['info', 'warning', 'error']).optional(),
  range: z.record(z.string(), z.int()).optional(),
});

/** The keys of `zuul`, each with its form in words. */
const zuulKeys = {
  log_url: { form: 'an http or https URL', schema: webAddress },
  artifacts: { form: 'a list of {name, url, metadata}, each url relative, http or https', schema: z.array(artifact) },
  child_jobs: { form: 'a list of job names', schema: z.array(z.string()) },
  pause: { form: 'true or false', schema: z.boolean() },
  retry: { form: 'true or false', schema: z.boolean() },
  warnings: { form: 'a list of texts', schema: z.array(z.string()) },
  file_comments: {
    form: 'a map from paths to lists of {line, message, level, range}, level one of info, warning and error',
    schema: z.record(z.string(), z.array(comment)),
  },
} as const;

type ZuulKeys = { [Key in keyof typeof zuulKeys]?: z.output<(typeof zuulKeys)[Key]['schema']> };

/**
 * Takes in what one more program returned: lists of artifacts, warnings and comments grow, of all else the last word
 * holds.
 *
 * @param text content of the file that the program wrote
 * @returns what is wrong with it, naming the key, when it cannot be used
 */
export function readReturned(
  text: string,
  before: Returned,
): { readonly returned: Returned } | { readonly fault: string } {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    return { fault: `it is not JSON: ${error instanceof Error ? error.message : error}` };
  }
  if (!isMap(content)) return { fault: 'it must be a JSON object' };
  const { zuul: written = {}, ...data } = content;
  if (!isMap(written)) return { fault: 'zuul must be an object' };
  const fault = faultOf(written);
  return fault === undefined ? { returned: extend(before, written, data) } : { fault };
}

function faultOf(written: Readonly<Record<string, unknown>>): string | undefined {
  for (const [key, { form, schema }] of Object.entries(zuulKeys)) {
    const found = key in written ? schema.safeParse(written[key]) : undefined;
    const path = found?.error?.issues[0]?.path.map((part) => `.${String(part)}`).join('');
    if (path !== undefined) return `zuul.${key}${path}: zuul.${key} must be ${form}`;
  }
  return undefined;
}

function extend(before: Returned, zuul: ZuulKeys, data: Readonly<Record<string, unknown>>): Returned {
  const comments = [...(before.comments ?? []), ...commentsIn(zuul)];
  const strange = Object.keys(zuul).filter((key) => !(key in zuulKeys));
  const remarks = [
    ...(zuul.warnings ?? []),
    ...Object.entries(zuul.file_comments ?? {}).flatMap(([path, comments]) =>
      comments.map((one) => commentText(path, one)),
    ),
    ...strange.map((key) => `zuul.${key} was returned, and is not followed here`),
  ];
  return {
    artifacts: [...before.artifacts, ...(zuul.artifacts ?? []).map(plainArtifact)],
    pause: zuul.pause ?? before.pause,
    retry: zuul.retry ?? before.retry,
    remarks: [...before.remarks, ...remarks],
    data: mergeVariables(before.data, data),
    ...optional('logUrl', zuul.log_url ?? before.logUrl),
    ...optional('childJobs', zuul.child_jobs ?? before.childJobs),
    ...(comments.length > 0 && { comments }),
  };
}

function commentsIn({ file_comments: files = {} }: ZuulKeys): readonly LineComment[] {
  return Object.entries(files).flatMap(([file, comments]) =>
    comments.map(({ line, level, message }): LineComment => {
      return { file, message, ...(line ? { line } : {}), ...(level && { level }) };
    }),
  );
}

/** As compilers say it. */
function commentText(path: string, { line, level = 'warning', message }: z.output<typeof comment>): string {
  return `${path}${line === undefined ? '' : `:${line}`}: ${level}: ${message}`;
}

/** What of it is part of a build's outcome. */
export interface ReturnedOutcome {
  readonly artifacts: readonly Artifact[];
  readonly logUrl?: string;
  readonly childJobs?: readonly string[];
  readonly remarks?: readonly string[];
  readonly comments?: readonly LineComment[];
  readonly data?: Readonly<Record<string, unknown>>;
}

/**
 * The outcome's part, once nothing more is returned. Artifacts that nobody could find are left out with a remark.
 *
 * @param output below which the files are that were kept: relative URLs are meant so where no `logUrl` was returned
 */
export function outcomeOfReturned(
  { logUrl, childJobs, ...returned }: Returned,
  output: string | undefined = undefined,
): ReturnedOutcome {
  const base = logUrl ?? output;
  const lost = returned.artifacts.filter(({ url }) => !URL.canParse(url, base));
  const forged = returned.artifacts.filter((one) => isForged(one, undefined));
  const artifacts = returned.artifacts.filter((one) => !lost.includes(one) && !forged.includes(one));
  const remarks = [
    ...returned.remarks,
    ...forged.map(({ name, metadata }) => {
      return `artifact ${name} is left out: only Sluice's own stages make what has the type ${metadata?.type}`;
    }),
    ...lost.map(
      ({ name }) =>
        `artifact ${name} is left out: its url is relative, no zuul.log_url was returned, and nothing is in zuul-output`,
    ),
  ];
  return {
    artifacts: artifacts.map((one) => ({ ...one, url: new URL(one.url, base).href })),
    ...optional('logUrl', logUrl),
    ...optional('childJobs', childJobs),
    ...(remarks.length > 0 && { remarks: bounded(remarks) }),
    ...(returned.comments !== undefined && { comments: boundedComments(returned.comments) }),
    ...(Object.keys(returned.data).length > 0 && { data: returned.data }),
  };
}

function bounded(remarks: readonly string[]): readonly string[] {
  const shown = remarks.slice(0, mostRemarks).map((text) => text.replace(/\s+/g, ' ').slice(0, longestRemark));
  const more = remarks.length - shown.length;
  return more > 0 ? [...shown, `${more} more are not shown`] : shown;
}

function plainArtifact({ name, url, metadata }: z.output<typeof artifact>): Artifact {
  return { name, url, ...(metadata && { metadata }) };
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined) {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
