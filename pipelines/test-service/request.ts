import { z } from 'zod';
import type { TestSource } from './third-party.ts';

/** Characters of a name or a number: what is indexed by it takes no more than some hundreds. */
const longest = 200;
const short = z.string().max(longest);
const word = short.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'it has letters, digits and ._- alone');
const version = short.regex(/^[A-Za-z0-9][A-Za-z0-9.+~:^_-]*$/, 'it has letters, digits and .+~:^_- alone');

/** What is wrong with a value that may be of several kinds. */
const expected =
  (kinds: string) =>
  ({ input }: { readonly input?: unknown }) =>
    input === undefined ? 'it is missing' : `expected ${kinds}`;

/** What is added before the installation: `url`, or `baseurl` as newer clients call it. */
const repository = z
  .object({
    name: word.optional().describe('absent: `repo-0`, `repo-1` and so on'),
    url: z.string().max(2000).optional().describe('for APT also a whole line: `deb URL SUITE main`'),
    baseurl: z.string().max(2000).optional().describe('the same by another name'),
  })
  .refine(({ url, baseurl }) => (url === undefined) !== (baseurl === undefined), 'it needs a url');

const folder = z
  .string()
  .max(1000)
  .regex(/^(?!\/)(?!(.*\/)?\.\.(\/|$))[A-Za-z0-9._/+-]*$/, 'it is no folder of a repository');

/** Variables of an environment, each with its place where it is wrong. */
const environment = z.record(z.string(), z.string().max(4000)).superRefine((all, context) => {
  for (const [key, value] of Object.entries(all)) {
    const say = (message: string) => context.addIssue({ code: 'custom', path: [key], message });
    if (key.length > longest || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) say('it is no name of a variable');
    if (value.includes('\0')) say('it cannot have a zero byte in it');
  }
});

/** Tests of others, and what they find in their environment. */
const configuration = z.object({
  tests: z
    .array(
      z.object({
        url: z.string().max(2000),
        git_ref: short.regex(/^[A-Za-z0-9][A-Za-z0-9._/+-]*$/, 'it is no branch, tag or ref').default('master'),
        test_dir: folder.default(''),
        tests_to_run: z.array(word).max(500).default([]),
      }),
    )
    .max(20),
  test_env: environment.nullish(),
});

/** A request to test a package, as clients of ALTS send it. */
export const testRequest = z.object({
  bs_task_id: z.int().min(0).optional().describe('the task’s number at whoever asks: by that it is cancelled'),
  runner_type: z.enum(['any', 'docker', 'vm', 'opennebula']).default('any').describe('kind of node'),
  dist_name: word.describe('distribution, for example debian'),
  dist_version: z
    .union([word, z.int().min(0), z.number().positive()], { error: expected('a version, such as 12 or "20.04"') })
    .describe('for example 12, or "20.04"'),
  dist_arch: word.describe('architecture, for example x86_64'),
  repositories: z.array(repository).max(50).default([]),
  package_name: short.regex(/^[A-Za-z0-9][A-Za-z0-9.+_-]*$/, 'it is no name of a package'),
  package_version: version.nullish(),
  test_configuration: configuration.nullish().describe('tests of others to run'),
  callback_href: z
    .string()
    .max(500)
    .regex(/^[^\0]*$/, 'it cannot have a zero byte in it')
    .nullish()
    .describe('path at the configured host where the result is posted'),
  package_channel: z.enum(['stable', 'beta']).nullish().describe('beta: of the platform whose name ends so'),
  test_flavor: z.object({ name: word, version: word }).nullish().describe('a further part of the platform’s name'),
  module_name: word.nullish().describe('module of RPM that the package is of'),
  module_stream: word.nullish(),
  module_version: z
    .union([word, z.int().min(0)], { error: expected('a version') })
    .nullish()
    .describe('not looked at: a stream has its newest version'),
  package_epoch: z
    .union([z.int().min(0), z.string().regex(/^\d{1,10}$/, 'expected a number')], { error: expected('a number') })
    .nullish(),
});

export type TestRequest = z.infer<typeof testRequest>;

/** A repository as a node is to have it. */
interface TestRepository {
  readonly name: string;
  readonly url: string;
  /** APT's distribution name, where the request says it. */
  readonly suite?: string;
}

/** One version's line of a module of RPM. */
interface TestModule {
  readonly name: string;
  readonly stream: string;
}

/** A test task, as far as running it goes. */
export interface TestTask {
  readonly id: string;
  /** Name of the platform that it runs on. */
  readonly platform: string;
  readonly package: string;
  readonly version?: string;
  /** What is enabled before the installation. */
  readonly module?: TestModule;
  readonly repositories: readonly TestRepository[];
  readonly tests?: readonly TestSource[];
  /** Names of those that are not run. */
  readonly excluded?: readonly string[];
  /** What those find in their environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A request that can never be met; the message says why. */
export class BadRequest extends Error {
  readonly statusCode = 400;
}

/** What a request asks of a platform. */
export function taskOf(request: TestRequest, { id, platform }: Pick<TestTask, 'id' | 'platform'>): TestTask {
  return {
    ...{ id, platform, package: request.package_name },
    ...versionOf(request),
    ...moduleOf(request),
    repositories: request.repositories.map(({ name, url, baseurl }, position) => ({
      name: name ?? `repo-${position}`,
      ...placeOf(url ?? baseurl ?? '', position),
    })),
    ...testsOf(request),
  };
}

function moduleOf({ module_name: name, module_stream: stream }: TestRequest): Pick<TestTask, 'module'> {
  if (name && stream) return { module: { name, stream } };
  if (!name && !stream) return {};
  throw new BadRequest(name ? 'module_name needs a module_stream' : 'module_stream needs a module_name');
}

function versionOf({ package_version: number, package_epoch: epoch }: TestRequest): Pick<TestTask, 'version'> {
  const hasEpoch = epoch !== undefined && epoch !== null;
  if (number === undefined || number === null) {
    if (hasEpoch) throw new BadRequest('package_epoch: it needs a package_version');
    return {};
  }
  if (hasEpoch && number.includes(':')) throw new BadRequest('package_epoch: package_version has an epoch already');
  return { version: hasEpoch ? `${epoch}:${number}` : number };
}

function testsOf({ test_configuration: given }: TestRequest): Pick<TestTask, 'tests' | 'environment'> {
  if (given === undefined || given === null || given.tests.length === 0) return {};
  const tests = given.tests.map(({ url, git_ref: ref, test_dir, tests_to_run: only }, position) => {
    const directory = test_dir.replace(/^\.\/|\/+$/g, '');
    return { url: webUrl(url, `test_configuration/tests/${position}/url`), ref, directory, only };
  });
  return { tests, ...(given.test_env ? { environment: given.test_env } : {}) };
}

/** A URL as it is sent, so that nothing else gets into a configuration file; or APT's own line. */
function placeOf(text: string, position: number): Omit<TestRepository, 'name'> {
  const line = /^deb +(\S+) +([A-Za-z0-9][A-Za-z0-9._/-]*) +main *$/.exec(text);
  const [, address = text, suite] = line ?? [];
  const url = webUrl(address, `repositories/${position}`, '; for APT also `deb URL SUITE main`');
  return { url, ...(suite === undefined ? {} : { suite }) };
}

function webUrl(address: string, where: string, also = ''): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '')
    return url.href;
  throw new BadRequest(`${where}: expected http://… or https://… without a user${also}`);
}
