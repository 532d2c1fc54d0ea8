import type { ConfigSource } from '../../pipelines/language/language.ts';

/** How large a configuration is. Defaults come to about 60,000 lines. */
export interface Size {
  readonly projects: number;
  readonly jobs: number;
}

export const fullSize: Size = { projects: 2500, jobs: 3000 };

const JOBS_IN_A_FILE = 20;
const PARENTS = 40;
const QUEUES = 50;

/**
 * A tenant: a config-project with pipelines, base jobs, jobs and templates in files of twenty stanzas, and a project of
 * its own for each other repository. The same size gives the same text.
 */
export function generateConfig(size: Size): ConfigSource[] {
  const sources = [configFile('00-pipelines.yaml', PIPELINES), configFile('01-templates.yaml', templates(size))];
  for (let first = 0; first < size.jobs; first += JOBS_IN_A_FILE) {
    const numbers = range(first, Math.min(first + JOBS_IN_A_FILE, size.jobs));
    sources.push(configFile(`jobs-${String(first).padStart(5, '0')}.yaml`, numbers.map(job).join('\n')));
  }
  for (const number of range(0, size.projects)) {
    const text = project(number, size);
    sources.push({ project: projectName(number), branch: 'master', path: '.zuul.yaml', text, trusted: false });
  }
  return sources;
}

function projectName(number: number): string {
  return `org/project-${number}`;
}

function configFile(name: string, text: string): ConfigSource {
  return { project: 'config', branch: 'master', path: `zuul.d/${name}`, text, trusted: true };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

const PIPELINES = `- pipeline:
    name: check
    manager: independent
    trigger: {}
- pipeline:
    name: gate
    manager: dependent
    post-review: true
    trigger: {}
- job:
    name: base
    parent: null
    timeout: 1800
    pre-run: playbooks/base/pre.yaml
    run: playbooks/base/run.yaml
    post-run: playbooks/base/post.yaml
`;

function templates({ jobs }: Size): string {
  return range(0, QUEUES)
    .map(
      (number) => `- queue:
    name: queue-${number}
- project-template:
    name: template-${number}
    check:
      jobs:
        - job-${number % jobs}
        - job-${(number * 7) % jobs}
`,
    )
    .join('');
}

function job(number: number): string {
  const parent = number < PARENTS ? 'base' : `job-${number % PARENTS}`;
  return `- job:
    name: job-${number}
    parent: ${parent}
    description: |
      What job ${number} does, in
      two lines.
    run: playbooks/job-${number}.yaml
    timeout: ${600 + (number % 600)}
    vars:
      text: "value of ${number}"
    files:
      - ^tests/unit-${number}/`;
}

function project(number: number, { jobs }: Size): string {
  return `- project:
    queue: queue-${number % QUEUES}
    templates:
      - template-${number % QUEUES}
    check:
      jobs:
        - job-${number % jobs}
        - job-${(number * 3) % jobs}: {voting: false}
    gate:
      jobs: [job-${number % jobs}]
`;
}
