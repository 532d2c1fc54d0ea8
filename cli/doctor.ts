import type { Command } from 'commander';
import { addCommand, configOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { failed } from './fault.ts';
import { paint, print, table } from './output.ts';

interface DoctorOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly mend?: boolean;
}

interface Diagnosis {
  readonly ok: boolean;
  readonly missing: readonly { readonly part: string; readonly missing: string; readonly mend: string }[];
}

export function register(program: Command): void {
  addCommand(program, 'doctor', {
    examples: ['sluice doctor', 'sluice doctor --mend'],
    details: 'Ends with status 1 when something is missing.',
  })
    .option('--mend', 'install what is missing, after saying what')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(diagnose);
}

async function diagnose(options: DoctorOptions): Promise<void> {
  const config = readConfiguration({ file: options.config });
  if (options.mend) await (await import('./bootstrap.ts')).bootstrap(config);
  const { bootstrapSteps, findNeeds } = await import('../infra/bootstrap/bootstrap.ts');
  const needs = await findNeeds(bootstrapSteps(config));
  const missing = needs.flatMap(({ findings }) => findings).map(({ part, missing, mend }) => ({ part, missing, mend }));
  print<Diagnosis>({ ok: missing.length === 0, missing }, render, options);
  if (missing.length > 0) throw failed();
}

function render({ ok, missing }: Diagnosis): string {
  if (ok) return `${paint('green', 'Nothing is missing.')}`;
  const rows = missing.map(({ part, missing, mend }) => [part, missing, mend]);
  return `${table(['PART', 'MISSING', 'MEND IT WITH'], rows)}\n\nAll at once: ./sluice doctor --mend`;
}
