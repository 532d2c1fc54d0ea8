import { type Command, InvalidArgumentError } from 'commander';
import type { PackageReport } from '../activities/install/steps.ts';
import type { HandInstall } from '../infra/by-hand/install-test.ts';
import { writtenSeconds } from '../pipelines/model/duration.ts';
import type { ApiClient } from './client.ts';
import { addCommand } from './command.ts';
import { failed } from './fault.ts';
import { duration, log, paint, print } from './output.ts';
import { choosePlatform, withEngine } from './platform.ts';
import { openRepository, orRefused } from './repository.ts';
import { addServerOrStackOptions, findServer, type ServerOrStackOptions } from './server-or-stack.ts';

interface Options extends ServerOrStackOptions {
  readonly platform: string;
  /** Seconds. */
  readonly stepTimeout: number;
}

/** Seconds; timers know no longer time. */
const longestStep = 86_400;

/** Adds `install-test`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'install-test', {
      examples: [
        'sluice install-test ./repo hello --platform debian-12',
        'sluice install-test http://127.0.0.1:8080/repositories/test/i1-1-deb/ hello=2.10-3 --platform debian-12',
      ],
      details: 'Installs, checks, exercises and removes each package on a plain minimal system.',
    }),
  )
    .argument('<repository>', 'its directory or URL')
    .argument('<packages...>', 'NAME or NAME=VERSION')
    .requiredOption('--platform <name>', 'where to install, for example debian-12 or rpm-debian-12')
    .option('--step-timeout <time>', 'for an installation, a script, a removal: seconds, or 90s, 2m', parseTimeout, 180)
    .action(installTest);
}

function parseTimeout(text: string): number {
  const seconds = Number(writtenSeconds(text));
  if (text.trim() === '' || !(seconds > 0 && seconds <= longestStep))
    throw new InvalidArgumentError('Give seconds, or a time such as 90s, 2m or 1h.');
  return seconds;
}

async function installTest(repository: string, packages: readonly string[], options: Options): Promise<void> {
  const tree = /^https?:\/\//.test(repository) ? undefined : (await openRepository(repository)).tree;
  const server = await findServer(options);
  const wanted = { repository, packages, timeout: options.stepTimeout * 1000 };
  const reports =
    server === undefined
      ? await installHere(wanted, options)
      : await installThere(server, { ...wanted, tree }, options);
  print({ packages: reports }, () => reports.flatMap(renderReport).join('\n'), options);
  if (reports.some(({ steps }) => steps.some(({ problem }) => problem !== null))) throw failed();
}

type Wanted = Pick<HandInstall, 'repository' | 'packages' | 'timeout'>;

async function installHere(wanted: Wanted, options: Options): Promise<readonly PackageReport[]> {
  const platform = choosePlatform(options.platform, options.config);
  const { installByHand } = await import('../infra/by-hand/install-test.ts');
  return withEngine([platform], log, (signal) =>
    orRefused(installByHand({ ...wanted, platform, signal, onProgress: log })),
  );
}

/** The tree of a repository that is a directory is sent. */
async function installThere(
  server: ApiClient,
  { packages, tree, ...wanted }: Wanted & { readonly tree: string | undefined },
  { platform }: Options,
): Promise<readonly PackageReport[]> {
  const { workAtServer } = await import('./at-server.ts');
  const request = { kind: 'install-test', platform, sent: tree !== undefined, packages, ...wanted } as const;
  const send = tree === undefined ? {} : { send: tree };
  const { answer } = await workAtServer<{ packages: readonly PackageReport[] }>(server, { request, ...send });
  return answer.packages;
}

function renderReport({ package: name, version, steps }: PackageReport): string[] {
  return steps.map(({ step, seconds, problem }) => {
    const verdict = problem === null ? paint('green', 'ok') : `${paint('red', 'failed')}: ${problem}`;
    return `${name} ${version}: ${step} ${verdict} (${duration(seconds)})`;
  });
}
