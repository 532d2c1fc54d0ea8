import { z } from 'zod';
import type { ChosenTests } from './third-party.ts';

const relative = z.string().regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).*$/, 'must be a folder inside the project');

const listSchema = z.array(
  z.strictObject({
    project: z.string().min(1),
    directory: relative.default(''),
    only: z.array(z.string().min(1)).default([]),
    except: z.array(z.string().min(1)).default([]),
  }),
);

/** Tests of another project that a job has run on what it installs. */
export interface JobTests extends ChosenTests {
  readonly project: string;
  /** Those that are not run, by name. */
  readonly except: readonly string[];
}

export type JobTestsReading =
  | { readonly ok: true; readonly tests: readonly JobTests[] }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads the variable `tests` of a job.
 *
 * @param required the projects that the job requires, its own among them: others it may not name
 */
export function readJobTests(value: unknown, required: readonly string[]): JobTestsReading {
  const read = listSchema.safeParse(value ?? []);
  if (!read.success) {
    const [issue] = read.error.issues;
    const place = ['vars', 'tests', ...(issue?.path ?? [])].map(String).join('.');
    return { ok: false, problem: `${place}: ${issue?.message ?? 'is no list of tests'}` };
  }
  const stranger = read.data.findIndex(({ project }) => !required.includes(project));
  if (stranger < 0) return { ok: true, tests: read.data };
  const name = read.data[stranger]?.project;
  return { ok: false, problem: `vars.tests.${stranger}.project: ${name} is not among the job's required-projects` };
}
