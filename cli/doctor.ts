import type { Command } from 'commander';
import type { ConnectionCheck } from '../activities/review/connection.ts';
import type { KeyCheck } from '../activities/sign/check-keys.ts';
import type { Part } from '../infra/bootstrap/tools.ts';
import type { MachineFinding } from '../infra/compose/check-machines.ts';
import { addCommand, configOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused } from './fault.ts';
import { paint, print, table, worded } from './output.ts';

interface DoctorOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly mend?: boolean;
  readonly connection?: string;
}

interface Diagnosis {
  readonly ok: boolean;
  readonly missing: readonly { readonly part: string; readonly missing: string; readonly mend: string }[];
  /** Of the archive; null where this user may not look. */
  readonly keys: readonly KeyCheck[] | null;
}

const machinesPart: MachineFinding['part'] = 'static machines';
const signingPart: Part = 'signing';

interface ConnectionDiagnosis {
  readonly connection: string;
  readonly ok: boolean;
  readonly checks: readonly ConnectionCheck[];
}

export function register(program: Command): void {
  addCommand(program, 'doctor', {
    examples: ['sluice doctor', 'sluice doctor --mend', 'sluice doctor --connection review'],
    details:
      'Ends with status 1 when something is missing, a machine of `nodes.static`, or one on a host of `nodes.vm.hosts`, ' +
      'cannot be lent, or a key of `release.keys` cannot sign: each is tried, as root or as the signer. `--connection` asks a ' +
      'review system whether Sluice finds there what it needs: login, events, git, labels, rights, webhook, clock. ' +
      '`--connection temporal` asks Temporal.',
  })
    .option('--mend', 'install what is missing, after saying what')
    .option('--connection <name>', 'look at a review system, or at `temporal`, instead of this machine')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(diagnose);
}

async function diagnose(options: DoctorOptions): Promise<void> {
  if (options.connection !== undefined) return diagnoseConnection(options.connection, options);
  const config = readConfiguration({ file: options.config });
  if (options.mend) await (await import('./bootstrap.ts')).bootstrap(config);
  const { bootstrapSteps, findNeeds } = await import('../infra/bootstrap/bootstrap.ts');
  const needs = await findNeeds(bootstrapSteps(config));
  const { checkMachines } = await import('../infra/compose/check-machines.ts');
  const { checkHosts } = await import('../infra/compose/check-hosts.ts');
  const far = await Promise.all([checkMachines(config), checkHosts(config)]);
  const findings = [...needs.flatMap((need) => need.findings), ...far.flat()];
  const missing = findings.map(({ part, missing, mend }) => ({ part, missing, mend }));
  const { checkArchiveKeys } = await import('../infra/compose/check-keys.ts');
  // Without GnuPG there is nobody to ask.
  const keys = missing.some(({ part }) => part === signingPart) ? [] : await checkArchiveKeys(config);
  const ok = missing.length === 0 && (keys ?? []).every(({ state }) => state === 'signs' || state === 'untried');
  print<Diagnosis>({ ok, missing, keys }, render, options);
  if (!ok) throw failed();
}

/** What `--connection` calls Temporal, unless a review system has that name. */
const temporalName = 'temporal';

async function diagnoseConnection(name: string, options: DoctorOptions): Promise<void> {
  const config = readConfiguration({ file: options.config });
  const isTemporal = name === temporalName && !Object.hasOwn(config.connections, name);
  if (!isTemporal && !Object.hasOwn(config.connections, name)) {
    const known = [...Object.keys(config.connections), temporalName].join(', ');
    throw misused(`${config.file ?? 'sluice.yaml'} has no connection ${name}: give one of ${known}`);
  }
  const checks = isTemporal
    ? await (await import('../infra/compose/check-temporal.ts')).checkTemporal(config)
    : await (await import('../infra/compose/check-connection.ts')).checkConnection(config, name);
  const ok = checks.every((check) => check.ok);
  print<ConnectionDiagnosis>({ connection: name, ok, checks }, renderChecks, options);
  if (!ok) throw failed();
}

function renderChecks({ checks }: ConnectionDiagnosis): string {
  const line = ({ name, ok, message }: ConnectionCheck) => {
    const verdict = ok ? paint('green', 'ok   ') : paint('red', 'wrong');
    return `${verdict}  ${name.padEnd(7)}  ${worded(message.replace(/\s+/g, ' '))}`;
  };
  return checks.map(line).join('\n');
}

function render({ missing, keys }: Diagnosis): string {
  return [renderMissing(missing), renderKeys(keys)]
    .filter((text) => text !== '')
    .map(worded)
    .join('\n\n');
}

const signs = {
  signs: ['green', 'signs'],
  away: ['red', 'away'],
  refused: ['red', 'cannot sign'],
  untried: ['yellow', 'not tried'],
} as const;

function renderKeys(keys: Diagnosis['keys']): string {
  if (keys === null)
    return 'Whether the keys of the archive sign is told to root, and to the signer: sudo ./sluice doctor';
  if (keys.length === 0) return '';
  const rows = keys.map(({ key, state, expires, message }) => {
    const [colour, word] = signs[state];
    return [key, paint(colour, word), expires ?? (state === 'signs' ? 'never' : ''), message];
  });
  return table(['KEY', 'STATE', 'EXPIRES', ''], rows);
}

function renderMissing(missing: Diagnosis['missing']): string {
  if (missing.length === 0) return paint('green', 'Nothing is missing.');
  const rows = missing.map(({ part, missing, mend }) => [part, missing, mend]);
  const here = missing.filter(({ part }) => part !== machinesPart);
  const all = here.length === missing.length ? 'All at once' : 'What this machine lacks';
  const advice = here.length === 0 ? '' : `\n\n${all}: ./sluice doctor --mend`;
  return `${table(['PART', 'MISSING', 'MEND IT WITH'], rows)}${advice}`;
}
