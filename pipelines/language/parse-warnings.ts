import type { ParseContext } from './parse-context.ts';
import type { Pattern } from './pattern.ts';
import type { JobAttributes } from './schema/job.ts';
import type { JobVariant } from './stanza.ts';

/** Attributes that are read and kept, and that running a job does not follow yet. */
const NOT_RUN: Partial<Record<keyof JobAttributes, string>> = {
  'ansible-version': "playbooks run with the Ansible of the node's platform",
  'ansible-split-streams': 'both streams go to one log',
  'image-build-name': 'images are not built by jobs',
  'include-vars': 'write the variables into "vars"',
  'include-projects': 'the workspace holds the required projects and those of the changes',
  'exclude-projects': 'the workspace holds the required projects and those of the changes',
  'workspace-checkout': 'the workspace is checked out',
  'workspace-scheme': 'each project lies in the workspace under its name',
  'preserve-home-paths': 'every playbook has a home directory of its own',
};

const IGNORED: Partial<Record<keyof JobAttributes, string>> = {
  'success-url': 'reports link to the log',
  'failure-url': 'reports link to the log',
  semaphore: 'write "semaphores"',
  'cleanup-run': 'write a post-run playbook with "cleanup: true"',
};

/** The keys of a job that limit how long its parts take. */
export const TIMEOUTS = ['pre-timeout', 'timeout', 'post-timeout'] as const;

const PROGRAMS = ['pre-run', 'run', 'post-run', 'cleanup-run'] as const;

/**
 * Reports what a sound-looking job says wrongly, and what it says in vain.
 * @returns false when the job must be left out.
 */
export function warningsOfJob(job: JobVariant, context: ParseContext): boolean {
  const label = `job "${job.name}"`;
  const at = (key: string) => job.marks[key] ?? job.offset;
  for (const key of Object.keys(job.attributes) as (keyof JobAttributes)[]) {
    const unused = NOT_RUN[key];
    if (unused !== undefined)
      context.report('warning', at(key), `${label}: ${key} is understood but not run yet: ${unused}`);
    const ignored = IGNORED[key];
    if (ignored !== undefined) context.report('warning', at(key), `${label}: ${key} is deprecated: ${ignored}`);
  }
  for (const key of PROGRAMS) {
    const why = notRun(job.attributes, key);
    if (why !== undefined) context.report('warning', at(key), `${label}: ${why}`);
  }
  for (const key of TIMEOUTS) {
    const time = job.attributes[key];
    // Zuul takes it as well.
    if (time !== undefined && time < 1)
      context.report('warning', at(key), `${label}: ${key}: ${time} ends what it is for as soon as that begins`);
  }
  if (job.attributes.roles?.some(({ galaxy }) => galaxy !== undefined)) {
    context.report('warning', at('roles'), `${label}: roles from "galaxy" are passed over: name a project with "zuul"`);
  }
  for (const [key, message] of aboutSecrets(job.attributes)) {
    context.report('warning', at(key), `${label}: ${message}`);
  }
  for (const [key, patterns] of patternsOf(job.attributes)) {
    for (const { deprecation } of patterns) {
      if (deprecation !== undefined) context.report('warning', at(key), `${label}: ${key}: ${deprecation}`);
    }
  }
  const fault = faultOf(job.attributes);
  if (fault !== undefined) context.report('error', at(fault.key), `${label}: ${fault.message}`);
  return fault === undefined;
}

/** Why what a job names there is not run. */
function notRun(attributes: JobAttributes, key: (typeof PROGRAMS)[number]): string | undefined {
  if (attributes.uses === undefined || (attributes[key] ?? []).length === 0) return undefined;
  return `${key} is not run beside "uses: ${attributes.uses}": put it into a job of its own`;
}

/** Secrets reach programs, and are never shown. */
function aboutSecrets({ secrets = [], uses, 'secret-exposure': exposure }: JobAttributes): [string, string][] {
  const found: [string, string][] = [];
  if (secrets.length > 0 && uses !== undefined) {
    found.push(['secrets', `secrets are for programs: the stage "${uses}" gets none`]);
  }
  if (exposure === 'ignore') {
    found.push(['secret-exposure', 'secret-exposure: what is printed of a secret is masked with "ignore", too']);
  }
  return found;
}

function patternsOf(attributes: JobAttributes): [string, readonly Pattern[]][] {
  return [
    ['branches', attributes.branches ?? []],
    ['files', attributes.files?.value ?? []],
    ['irrelevant-files', attributes['irrelevant-files']?.value ?? []],
  ];
}

const FORBIDDEN_HOME_PATHS = ['.ssh/config', '.kube/config'];

function faultOf(attributes: JobAttributes): { key: string; message: string } | undefined {
  if (attributes.intermediate && !attributes.abstract) {
    return { key: 'intermediate', message: 'an intermediate job must also be abstract' };
  }
  const { 'pre-timeout': pre, timeout } = attributes;
  if (pre !== undefined && timeout !== undefined && pre > timeout) {
    return { key: 'pre-timeout', message: `pre-timeout ${pre} exceeds timeout ${timeout}` };
  }
  const forbidden = attributes['preserve-home-paths']?.find((path) => FORBIDDEN_HOME_PATHS.includes(normalized(path)));
  if (forbidden !== undefined) return { key: 'preserve-home-paths', message: `${forbidden} may not be preserved` };
  const doubled = doubledSemaphore(attributes);
  if (doubled !== undefined) {
    return { key: 'semaphores', message: `semaphore "${doubled}" is both the job's and a playbook's` };
  }
  return undefined;
}

/** A relative path without `.`, `..` and doubled slashes. */
function normalized(path: string): string {
  const steps: string[] = [];
  for (const step of path.split('/')) {
    if (step === '..' && steps.length > 0) steps.pop();
    else if (step !== '.' && step !== '') steps.push(step);
  }
  return steps.join('/');
}

function doubledSemaphore(attributes: JobAttributes): string | undefined {
  const own = new Set((attributes.semaphores ?? attributes.semaphore ?? []).map(nameOf));
  if (own.size === 0) return undefined;
  const playbooks = PROGRAMS.flatMap((key) => attributes[key] ?? []);
  return playbooks.flatMap((book) => (typeof book === 'string' ? [] : (book.semaphores ?? []))).find((n) => own.has(n));
}

/** The name of an entry that is either a name or an object with one. */
export function nameOf(entry: string | { readonly name: string }): string {
  return typeof entry === 'string' ? entry : entry.name;
}
