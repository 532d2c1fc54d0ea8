import { performance } from 'node:perf_hooks';
import { duration, isInteractive, log } from './output.ts';

/** One step of long work, as users see it. */
export interface Step {
  readonly title: string;
  /** `report` shows the last line of what is going on. */
  readonly run: (report: (line: string) => void) => Promise<void>;
}

/**
 * Runs steps one after the other: moving lines in a terminal, a plain line at each start and end elsewhere, all on
 * standard error.
 *
 * @throws what the first failing step throws; the later ones do not run.
 */
export async function runSteps(steps: readonly Step[]): Promise<void> {
  if (steps.length === 0) return;
  // A terminal that does not know its width, as `script` makes one without another, gets nothing drawn.
  if (isInteractive() && process.stdout.columns > 0) await runInTerminal(steps);
  else for (const step of steps) await runPlainly(step);
}

async function runInTerminal(steps: readonly Step[]): Promise<void> {
  const { Listr } = await import('listr2');
  const tasks = steps.map(({ title, run }) => ({
    title,
    task: (_: unknown, task: { output: string }) =>
      run((line) => {
        task.output = line;
      }),
    rendererOptions: { outputBar: 1 as const, timer: { condition: true, field: elapsed, format: () => dim } },
  }));
  await new Listr(tasks, { exitOnError: true, collectErrors: false }).run();
}

function elapsed(milliseconds: number): string {
  return duration(milliseconds / 1000);
}

function dim(text: string | undefined): string {
  return text ?? '';
}

async function runPlainly({ title, run }: Step): Promise<void> {
  const start = performance.now();
  log(`${title} …`);
  await run(() => {});
  log(`${title}: done in ${duration((performance.now() - start) / 1000)}`);
}
