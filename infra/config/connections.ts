import { z } from 'zod';
import { namedSchema, type Resolve } from './mirrors.ts';
import { secretForms, secretSchema } from './secrets.ts';
import { durationSchema } from './units.ts';

/** `connections:`: review systems by name, each with the keys of its driver; types are in `activities/review`. */
export function connectionsSchema(resolve: Resolve) {
  const path = z.string().min(1).transform(resolve);
  const secret = secretSchema(resolve);
  const kinds = [
    gitSchema(resolve, path, secret),
    gerritSchema(path, secret),
    githubSchema(secret),
    ...forgeSchemas(secret),
  ] as const;
  return namedSchema(z.discriminatedUnion('driver', kinds, { error: driverMessage }));
}

type Path = z.ZodType<string, string>;
type Secret = ReturnType<typeof secretSchema>;

const drivers = ['git', 'gerrit', 'github', 'gitlab', 'gitea'] as const;

/** Undefined leaves a message as it is. */
function driverMessage(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_union') return undefined;
  const { driver } = (issue.input ?? {}) as { readonly driver?: unknown };
  const given = driver === undefined ? 'is missing' : 'is not a driver';
  return `${given}: there are ${drivers.join(', ')}`;
}

const approve = z.strictObject({
  label: z.string().min(1).describe('Name of the label.'),
  value: z.int().optional().describe('Its least value, where labels have values.'),
});

function approval() {
  return approve
    .optional()
    .describe(
      "A label that brings a change into the gate. Default: the host's own requirements are all that is asked.",
    );
}

function gitSchema(resolve: Resolve, path: Path, secret: Secret) {
  return z
    .strictObject({
      driver: z.literal('git').describe('Plain Git: without `url` repositories on this machine.'),
      url: z
        .string()
        .min(1)
        .transform(gitUrl(resolve))
        .optional()
        .describe('A host of bare repositories that Sluice does not serve, or their directory: it is polled.'),
      poll: durationSchema
        .transform((seconds) => seconds * 1000)
        .refine((milliseconds) => milliseconds >= 1000, 'must be 1s at least')
        .optional()
        .describe('Time between two looks at it. Default: `60s`.'),
      user: z
        .string()
        .regex(/^[^:\p{Cc}]+$/u, 'must have no colon')
        .optional()
        .describe('User for HTTP. Default: `sluice`.'),
      password: secret.optional().describe(`Password for HTTP: ${secretForms}.`),
      identity: path.optional().describe('Private key file for SSH.'),
      knownHosts: path.optional().describe('File with the host keys to expect for SSH; they are always checked.'),
      webhookSecret: secret.optional().describe(`What a hook of the host shows: ${secretForms}.`),
      approve: approve
        .optional()
        .describe('The label that brings a change into the gate, in the place of `Approved` with the value 1.'),
    })
    .superRefine(checkGit);
}

interface GitKeys {
  readonly url?: string | undefined;
  readonly identity?: unknown;
  readonly knownHosts?: unknown;
  readonly approve?: unknown;
}

/** Keys that say how to get somewhere need a place to go to. */
function checkGit(
  { driver: _, url, approve: _approve, ...keys }: GitKeys & { readonly driver: 'git' },
  context: z.RefinementCtx,
): void {
  const say = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  for (const [key, value] of Object.entries(keys)) {
    if (value !== undefined && url === undefined)
      say(key, 'is for a connection with a "url": what Sluice serves itself is not polled');
  }
  if (url === undefined) return;
  const schemes = { password: /^https?:/, user: /^https?:/, identity: /^ssh:/, knownHosts: /^ssh:/ };
  for (const [key, scheme] of Object.entries(schemes)) {
    if (Object.hasOwn(keys, key) && !scheme.test(url)) say(key, 'is not used with such a "url"');
  }
  if (url.startsWith('ssh:') && (keys.identity === undefined || keys.knownHosts === undefined))
    say(keys.identity === undefined ? 'identity' : 'knownHosts', 'is needed for a "url" of ssh');
}

function gerritSchema(path: Path, secret: Secret) {
  return z.strictObject({
    driver: z.literal('gerrit').describe('Gerrit.'),
    url: webUrl().describe('Web pages and REST.'),
    ssh: sshUrl().describe('Events and Git: `ssh://USER@HOST:PORT`.'),
    identity: path.describe('Private key file for `ssh`.'),
    knownHosts: path.describe('File with the host keys to expect for `ssh`; they are always checked.'),
    user: z.string().min(1).optional().describe('User for REST. Default: the user of `ssh`.'),
    password: secret.optional().describe(`HTTP password for REST: ${secretForms}.`),
    approve: approval(),
  });
}

function githubSchema(secret: Secret) {
  const app = z.strictObject({
    id: z.int().positive().describe("The App's number."),
    key: secret.describe(`Its private key: ${secretForms}.`),
  });
  return z
    .strictObject({
      driver: z.literal('github').describe('GitHub or GitHub Enterprise.'),
      url: webUrl().default('https://github.com').describe('Web pages and Git.'),
      api: webUrl().optional().describe('REST. Default: `https://api.github.com`, `URL/api/v3` for Enterprise.'),
      app: app.optional().describe('An App, or else a `token`.'),
      token: secret.optional().describe(`A token, or else an \`app\`: ${secretForms}.`),
      webhookSecret: secret.optional().describe(`What webhooks are signed with: ${secretForms}.`),
      approve: approval(),
    })
    .refine(({ app: one, token }) => (one === undefined) !== (token === undefined), {
      message: 'needs either "app" or "token"',
    });
}

function forgeSchemas(secret: Secret) {
  const keys = {
    url: webUrl().describe('Web pages, REST and Git.'),
    token: secret.describe(`Token of the account that Sluice acts as: ${secretForms}.`),
    webhookSecret: secret.optional().describe(`What webhooks are signed with: ${secretForms}.`),
    approve: approval(),
  };
  return [
    z.strictObject({ driver: z.literal('gitlab').describe('GitLab.'), ...keys }),
    z.strictObject({ driver: z.literal('gitea').describe('Gitea or Forgejo.'), ...keys }),
  ] as const;
}

/** Without a slash at its end. */
function webUrl() {
  return z.string().transform((url, context) => {
    const problem = urlProblem(url, ['http:', 'https:']);
    if (problem === undefined) return url.replace(/\/+$/, '');
    context.addIssue(problem);
    return z.NEVER;
  });
}

function sshUrl() {
  return z.string().transform((url, context) => {
    const problem = urlProblem(url, ['ssh:']) ?? (isAccount(url) ? undefined : 'must be ssh://USER@HOST:PORT');
    if (problem === undefined) return url.replace(/\/+$/, '');
    context.addIssue(problem);
    return z.NEVER;
  });
}

function isAccount(url: string): boolean {
  const { username, pathname } = new URL(url);
  return username !== '' && ['', '/'].includes(pathname);
}

function gitUrl(resolve: Resolve) {
  return (url: string, context: z.RefinementCtx): string => {
    if (!url.includes('://')) return resolve(url);
    const problem = urlProblem(url, ['http:', 'https:', 'ssh:', 'git:', 'file:']);
    if (problem === undefined) return url.replace(/\/+$/, '');
    context.addIssue(problem);
    return z.NEVER;
  };
}

function urlProblem(url: string, protocols: readonly string[]): string | undefined {
  const forms = protocols.map((protocol) => `${protocol}//`).join(' or ');
  if (/[\p{Cc}\p{Cs}\s]/u.test(url)) return 'must have no spaces and no control characters';
  if (!URL.canParse(url) || !protocols.includes(new URL(url).protocol))
    return `must be a URL that begins with ${forms}`;
  const { protocol, hostname, password, search, hash, username } = new URL(url);
  if (protocol !== 'file:' && (hostname === '' || hostname.startsWith('-'))) return 'needs a host';
  if (password !== '') return 'must not hold a password';
  if (username !== '' && protocol.startsWith('http')) return 'must not hold a user: keys beside it say who Sluice is';
  if (search !== '' || hash !== '') return 'must end with its path: no "?" or "#"';
  return undefined;
}
