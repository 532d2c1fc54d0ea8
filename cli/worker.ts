import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { TemporalAddress } from '../infra/temporal/secured.ts';
import { addCommand, configOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { misused } from './fault.ts';
import { requireFile } from './given-file.ts';

interface WorkerOptions {
  readonly config?: string;
  readonly queues: string;
  readonly server?: string;
  readonly temporal?: string;
  readonly token?: string;
  readonly ca?: string;
  readonly temporalTls?: boolean;
  readonly temporalCertificate?: string;
  readonly temporalKey?: string;
  readonly temporalApiKey?: string;
  readonly data: string;
  readonly containerUrl?: string;
  readonly jobs: string;
}

export function register(program: Command): void {
  addCommand(program, 'worker', {
    examples: [
      'sluice worker --queues build-amd64',
      'sluice worker --queues sign',
      'sluice worker --queues build-amd64 --server https://sluice.example --temporal 10.0.0.1:7233 --token ./token',
    ],
    details:
      'Queues are `build-ARCH` for all jobs on this machine, and `sign` for signing, best as a user of its own. It finds ' +
      "Temporal at the configuration's `temporal.address`, else on this machine. `sluice up` starts workers by itself. " +
      'With `--server` it shares no directory with the server and needs no configuration: `docs/workers.md`.',
  })
    .requiredOption('--queues <names>', 'task queues, separated by commas')
    .addOption(configOption())
    .option('--server <url>', 'on another machine: where the server is reached')
    .option('--temporal <address>', 'on another machine: HOST:PORT where Temporal is reached')
    .option('--token <file>', 'on another machine: the token that `sluice token add` made')
    .option('--ca <file>', 'on another machine: certificates that may have signed those of the server and of Temporal')
    .option('--temporal-tls', 'on another machine: Temporal is reached by TLS')
    .option('--temporal-certificate <file>', 'on another machine: the certificate to show to Temporal (mTLS)')
    .option('--temporal-key <file>', 'on another machine: its private key')
    .option('--temporal-api-key <file>', 'on another machine: the API key to show to Temporal')
    .option('--data <directory>', 'on another machine: where it keeps what is its own', './sluice-worker')
    .option('--container-url <url>', 'on another machine: where its containers reach the server (default: --server)')
    .option('--jobs <number>', 'on another machine: how many jobs with nodes run at once', '2')
    .action(work);
}

async function work(options: WorkerOptions): Promise<void> {
  const { workerQueues } = await import('../infra/compose/workers.ts');
  const queues = options.queues.split(',').map((queue) => queue.trim());
  const unknown = queues.filter((queue) => !workerQueues().includes(queue));
  if (unknown.length > 0)
    throw misused(`no worker serves ${unknown.join(', ')}: there are ${workerQueues().join(', ')}`);
  if (options.server !== undefined) return workApart(options, { server: options.server, queues });
  await workHere(options, queues);
}

async function workHere(options: WorkerOptions, queues: readonly string[]): Promise<void> {
  const { readStackConfig, standalone } = await import('../infra/stack/settings.ts');
  const config = readStackConfig() ?? standalone(readConfiguration({ file: options.config }));
  if (config.workers.build === 0 && queues.some((queue) => queue.startsWith('build-'))) {
    throw misused(`workers.build is 0 in ${config.file ?? 'sluice.yaml'}: this machine runs no jobs`);
  }
  const { startWorkers } = await import('../infra/compose/workers.ts');
  const { runPart } = await import('../infra/stack/part.ts');
  await runPart((told) => startWorkers(config, { queues, told }));
}

async function workApart(
  options: WorkerOptions,
  { server, queues }: { readonly server: string; readonly queues: readonly string[] },
): Promise<void> {
  const { temporal, token, data, ca } = options;
  if (temporal === undefined || token === undefined) throw misused('--server needs --temporal and --token as well');
  if (queues.some((queue) => !queue.startsWith('build-'))) {
    throw misused('only jobs run on another machine: sign where the released repositories are');
  }
  const slots = Number(options.jobs);
  if (!Number.isInteger(slots) || slots < 1) throw misused(`--jobs ${options.jobs} is no number of jobs`);
  await checkFiles(options, token);
  const { startApartWorker } = await import('../infra/compose/apart-worker.ts');
  const { runPart } = await import('../infra/stack/part.ts');
  const urls = { server: plain(server), containerUrl: plain(options.containerUrl ?? server) };
  const way = { address: temporal, ...temporalWay(options) };
  const trusted = ca === undefined ? {} : { ca: resolve(ca) };
  await runPart(() => startApartWorker({ ...urls, ...trusted, temporal: way, token, data: resolve(data), slots }));
}

/** The files that options name: what is wrong with one is said before anything starts. */
async function checkFiles(options: WorkerOptions, token: string): Promise<void> {
  const { readToken } = await import('../infra/common/token-file.ts');
  const { readPem } = await import('../infra/temporal/secured.ts');
  const { ca, temporalCertificate: certificate, temporalKey: key, temporalApiKey: apiKey } = options;
  try {
    await readToken(token);
    if (ca !== undefined) await readPem('--ca', ca);
    if (certificate !== undefined) await readPem('--temporal-certificate', certificate);
  } catch (error) {
    throw misused((error as Error).message);
  }
  if (key !== undefined) await requireFile(key, '--temporal-key');
  if (apiKey !== undefined) await requireFile(apiKey, '--temporal-api-key');
}

/** How Temporal is reached. @throws for half of a pair */
function temporalWay(options: WorkerOptions): Pick<TemporalAddress, 'tls' | 'apiKey'> {
  const { ca, temporalTls, temporalCertificate: certificate, temporalKey: key, temporalApiKey: apiKey } = options;
  if ((certificate === undefined) !== (key === undefined))
    throw misused('--temporal-certificate and --temporal-key belong together');
  if (temporalTls !== true && certificate === undefined && apiKey === undefined) return {};
  const pair =
    certificate === undefined || key === undefined
      ? {}
      : { certificate: resolve(certificate), key: { file: resolve(key) } };
  return {
    tls: { ...(ca === undefined ? {} : { ca: resolve(ca) }), ...pair },
    ...(apiKey === undefined ? {} : { apiKey: { file: resolve(apiKey) } }),
  };
}

/** @throws for what is no address */
function plain(url: string): string {
  if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url)) throw misused(`${url} is no http or https address`);
  return url.replace(/\/+$/, '');
}
