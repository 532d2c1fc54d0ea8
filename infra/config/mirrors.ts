import { z } from 'zod';
import { parseWindow } from '../../pipelines/mirror/window.ts';
import type { Fault } from './fault.ts';
import { durationSchema, sizeSchema } from './units.ts';

/** Turns a path as written into an absolute one. */
export type Resolve = (path: string) => string;

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;

/** Names that become file names and parts of links. */
export const nameSchema = z
  .string()
  .regex(namePattern, 'must be a name of letters, digits and ._+-, a letter or digit first');

/** Checks what is there even where something else is wrong: users see all problems at once. */
const always = { when: () => true };

/** A map by names; what stands under a bad name is checked as well. */
export function namedSchema<T extends z.ZodType>(value: T) {
  return z.record(z.string(), value).superRefine((map, context) => {
    for (const name of Object.keys(map ?? {})) {
      const issues = nameSchema.safeParse(name).error?.issues;
      if (issues) context.addIssue({ code: 'invalid_key', origin: 'record', path: [name], issues });
    }
  }, always);
}

/** What file systems take for one name, in bytes, less what is appended to a head's: `.target.txt`. */
const longestPart = 244;
/** The longest set name that leaves room for `-YYYY-MM-DD-HHMMSS.diff.txt`. */
const longestSet = 200;

/** Control characters, halves of a pair that are no character alone, and what rsync's listings cannot tell apart. */
const unusable = /\p{Cc}|\p{Cs}| -> |\\/u;

const relativePath = z
  .string()
  .refine(
    (path) => path !== '' && !path.startsWith('/') && path.split('/').every((part) => !['', '.', '..'].includes(part)),
    'must be a relative path without "." and ".."',
  )
  .refine((path) => !unusable.test(path), 'must have no control characters, no backslash and no " -> "')
  .refine(
    (path) => path.split('/').every((part) => Buffer.byteLength(part) <= longestPart),
    `must have no part of more than ${longestPart} bytes`,
  );

const commandSchema = z.string().trim().min(1, 'must be a command');

const hooksSchema = z.strictObject({
  before: commandSchema
    .optional()
    .describe('Run by `sh -c` on the server before anything is sent: unless it ends with 0, nothing is.'),
  after: commandSchema
    .optional()
    .describe('Run after the hosts show another snapshot, again with each sync until it ends with 0.'),
  timeout: durationSchema.prefault('60s').describe('Time after which each is ended, and has failed.'),
});

const windowSchema = z.string().transform((text, context) => {
  const window = parseWindow(text);
  if (typeof window !== 'string') return window;
  context.addIssue(window);
  return z.NEVER;
});

/** `mirrors:`: sets of hosts that show the same snapshot of one repository tree. */
export function mirrorsSchema(resolve: Resolve) {
  return namedSchema(setSchema(resolve)).superRefine((sets, context) => {
    for (const name of Object.keys(sets ?? {}).filter((one) => one.length > longestSet)) {
      context.addIssue({ code: 'custom', path: [name], message: `must be no longer than ${longestSet} letters` });
    }
    for (const { path, message } of clashes(sets ?? {})) context.addIssue({ code: 'custom', path: [...path], message });
  }, always);
}

const pathSchema = (resolve: Resolve) => z.string().min(1).transform(resolve);

function setSchema(resolve: Resolve) {
  const path = pathSchema(resolve);
  return z
    .strictObject({
      source: path.describe('The repository tree that is published.'),
      snapshots: relativePath.default('snapshots').describe("Directory of the snapshots, below each host's root."),
      layout: z
        .enum(['snapshots', 'pool'])
        .optional()
        .describe(
          'Default: `snapshots`, each of which is a whole tree. `pool`: all of them share one folder of packages.',
        ),
      heads: z
        .array(relativePath)
        .default([])
        .describe("Links that are flipped at the end, below each host's root. Nested ones are allowed."),
      commit: z
        .enum(['all', 'any'])
        .default('all')
        .describe(
          '`all`: nobody shows the new state unless everybody can. `any`: each by itself, stragglers converge later.',
        ),
      keep: z
        .union([z.literal('latest'), durationSchema], { error: 'must be `latest`, 0 or a time such as 12h or 61d' })
        .prefault('61d')
        .describe('How long snapshots stay: a time, `0` for ever, or `latest` for what a link points to alone.'),
      keepAtLeast: z
        .int()
        .min(0)
        .optional()
        .describe('So many of the newest snapshots stay, however old they are. Default: none.'),
      init: z.boolean().default(false).describe('Make missing directories.'),
      timeout: durationSchema.prefault('60s').describe('Time without progress after which a host counts as silent.'),
      bandwidth: sizeSchema
        .refine((bytes) => bytes >= 1024, 'must be at least 1KiB; leave it out for no limit')
        .optional()
        .describe('Most that goes to or comes from each host in a second. Default: no limit.'),
      window: windowSchema
        .optional()
        .describe(
          'Time of the day in which syncs may begin, such as `22:00-06:00 Europe/Paris`; others wait for it. Default: always.',
        ),
      hooks: hooksSchema.optional().describe('Commands of yours around each transaction that changes what hosts show.'),
      verify: z
        .strictObject({ key: path.describe('Armored public key that the repository must be signed with.') })
        .optional()
        .describe('Check the signature as a client would, before and after the flip.'),
      hosts: namedSchema(hostSchema(resolve))
        .refine((hosts) => Object.keys(hosts).length > 0, 'must name at least one host')
        .describe('The hosts by name.'),
    })
    .superRefine(({ heads, snapshots }, context) => {
      if (!Array.isArray(heads)) return;
      heads.forEach((head, index) => {
        if (heads.indexOf(head) < index)
          context.addIssue({ code: 'custom', path: ['heads', index], message: 'is given twice' });
        const problem = headProblem(head, heads, snapshots);
        if (problem !== undefined) context.addIssue({ code: 'custom', path: ['heads', index], message: problem });
      });
    }, always);
}

function hostSchema(resolve: Resolve) {
  const path = pathSchema(resolve);
  return z.strictObject({
    url: urlSchema(resolve).describe(
      'Root: a directory, `rsync://HOST[:PORT]/MODULE[/PATH]`, `ssh://[USER@]HOST[:PORT]/PATH` or `sftp://` likewise. Percent escapes are decoded.',
    ),
    identity: path.optional().describe('Private key file for `ssh://` and `sftp://`.'),
    knownHosts: path
      .optional()
      .describe('File with the host keys to expect for `ssh://` and `sftp://`; they are always checked.'),
  });
}

interface Placed {
  readonly heads: readonly string[];
  readonly snapshots: string;
  readonly hosts: Readonly<Record<string, { readonly url: string }>>;
}

/** Links that two sets would turn on one host, and hosts that are one. Sets may be read in part. */
function clashes(sets: Readonly<Record<string, Partial<Placed>>>): readonly Fault[] {
  const seen: { readonly set: string; readonly host: string; readonly url: string; readonly placed: Placed }[] = [];
  const found: Fault[] = [];
  for (const [set, { heads, snapshots, hosts }] of Object.entries(sets)) {
    if (!Array.isArray(heads) || typeof snapshots !== 'string' || typeof hosts !== 'object') continue;
    const placed = { heads, snapshots, hosts };
    for (const [host, given] of Object.entries(hosts)) {
      const url = typeof given?.url === 'string' ? given.url.replace(/(?<=[^/])\/+$/, '') : '';
      const same = seen.filter((each) => url !== '' && each.url === url);
      const twin = same.find((each) => each.set === set);
      if (twin === undefined) {
        seen.push({ set, host, url, placed });
        found.push(...same.flatMap((other) => headClashes(set, heads, other)));
      } else {
        const message = `is the root of the host ${JSON.stringify(twin.host)} as well`;
        found.push({ path: [set, 'hosts', host, 'url'], message });
      }
    }
  }
  return found;
}

function headClashes(
  set: string,
  heads: readonly string[],
  other: { readonly set: string; readonly url: string; readonly placed: Placed },
): readonly Fault[] {
  return heads.flatMap((head, index) => {
    const problem = sharedHeadProblem(head, other.placed);
    const message = `${problem} of the set ${JSON.stringify(other.set)} on ${other.url}`;
    return problem === undefined ? [] : [{ path: [set, 'heads', index], message }];
  });
}

function sharedHeadProblem(head: string, { heads, snapshots }: Placed): string | undefined {
  if (heads.includes(head)) return 'is a head';
  if (head === snapshots || head.startsWith(`${snapshots}/`)) return 'lies inside the snapshots';
  if (heads.some((other) => head.startsWith(`${other}/`))) return 'lies below a head';
  if (heads.includes(head.replace(/\.target\.txt$/, ''))) return 'is where the history is kept of a head';
  if (heads.includes(`${head}.target.txt`)) return 'keeps its history in a head';
  return heads.some((other) => other.startsWith(`${head}/`)) ? 'lies above a head' : undefined;
}

/** A head is a link, so that nothing of ours can stand below it, and its history stands beside it. */
function headProblem(head: string, heads: readonly string[], snapshots: string): string | undefined {
  if (head === snapshots || head.startsWith(`${snapshots}/`)) return 'lies inside the snapshots';
  if (snapshots.startsWith(`${head}/`)) return 'is a directory on the way to the snapshots';
  const above = heads.find((other) => head.startsWith(`${other}/`));
  if (above !== undefined) return `lies below the head ${JSON.stringify(above)}`;
  const beside = heads.find((other) => head === `${other}.target.txt`);
  return beside === undefined ? undefined : `is where the history of the head ${JSON.stringify(beside)} is kept`;
}

function urlSchema(resolve: Resolve) {
  return z
    .string()
    .min(1)
    .transform((url, context) => {
      const problem = urlProblem(url);
      if (problem === undefined) return url.includes('://') ? url : resolve(decodeURIComponent(url));
      context.addIssue(problem);
      return z.NEVER;
    });
}

function urlProblem(url: string): string | undefined {
  try {
    if (/\p{Cc}|\p{Cs}/u.test(decodeURIComponent(url))) return 'must have no control characters';
  } catch {
    return 'has a broken percent escape';
  }
  if (!url.includes('://')) return undefined;
  if (!/^(rsync|ssh|sftp):\/\//.test(url)) return 'must be a directory, or an rsync://, ssh:// or sftp:// URL';
  if (!URL.canParse(url)) return 'is not a URL';
  const { hostname, pathname, password, search, hash } = new URL(url);
  if (hostname === '' || hostname.startsWith('-')) return 'needs a host';
  if (password !== '') return 'must not hold a password';
  if (search !== '' || hash !== '') return 'must end with its path: no "?" or "#"';
  if (pathname.length < 2) return url.startsWith('rsync:') ? "needs the daemon's module" : 'needs a path';
  return undefined;
}
