import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Config } from '../infra/config/load.ts';
import { addCommand, configOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused, unavailable } from './fault.ts';
import { log } from './output.ts';

interface DownOptions {
  readonly config?: string;
  readonly data?: string;
  readonly purge?: boolean;
}

export function register(program: Command): void {
  addCommand(program, 'down', {
    examples: ['sluice down', 'sluice down --purge'],
    details: 'What was going on is taken up by the next `sluice up`, unless it is purged.',
  })
    .addOption(configOption())
    .option('--data <dir>', "data directory (default: the configuration's)")
    .option(
      '--purge',
      'also remove the containers, networks, volumes and virtual machines of this data directory, images that no other one uses, and all data',
    )
    .action(down);
}

async function down(options: DownOptions): Promise<void> {
  const config = readConfiguration({ file: options.config, data: options.data });
  await stopHolder(config.data);
  if (!options.purge) return;
  await purge(config);
}

/** Seconds that a stack may take to end in order. */
const patience = 40;

async function stopHolder(data: string): Promise<void> {
  const { readHolder } = await import('../infra/stack/lock.ts');
  const holder = readHolder(data);
  if (holder === undefined) return awaitLeft(data);
  try {
    process.kill(holder.pid, 'SIGTERM');
  } catch (error) {
    throw unavailable(`no permission to stop "${holder.command}" (process ${holder.pid}): ${(error as Error).message}`);
  }
  for (const deadline = Date.now() + patience * 1000; readHolder(data)?.pid === holder.pid; await sleep(100)) {
    if (Date.now() > deadline) throw failed(`"${holder.command}" (process ${holder.pid}) does not end`);
  }
  log(`stopped "${holder.command}"`);
}

/** Processes of a command that was killed end by themselves, a while after it. */
async function awaitLeft(data: string): Promise<void> {
  if (!existsSync(join(data, 'lock'))) return log(`nothing runs on ${data}`);
  const { lockDirectory } = await import('../infra/stack/lock.ts');
  let left = false;
  const lock = await lockDirectory(data, 0, () => {
    left = true;
    log(`what was killed has left processes on ${data}: they are ending`);
  }).catch((error: Error) => {
    if (error.name !== 'DirectoryHeld') throw error;
    throw failed(`${error.message}: \`fuser -v ${join(data, 'lock')}\` names what does not end`);
  });
  const { endAgents } = await import('../infra/stack/agents.ts');
  if (left) await endAgents(data);
  lock.release();
  log(left ? 'they have ended' : `nothing runs on ${data}`);
}

async function purge({ data }: Config): Promise<void> {
  const there = existsSync(data);
  if (there && !existsSync(join(data, 'lock'))) throw misused(`${data} is not a data directory of Sluice`);
  const { lockDirectory } = await import('../infra/stack/lock.ts');
  const { askEngine, stopEngine } = await import('../infra/bootstrap/engine.ts');
  const lock = await lockDirectory(data, patience);
  if ((await askEngine()) === 'answers') await purgeContainers(data, stopEngine);
  else log('no container engine answers: its containers and images, if any, stay');
  const { purgeMachines } = await import('../infra/images/purge.ts');
  const machines = await purgeMachines(data);
  if (machines > 0) log(`removed ${machines} virtual ${machines === 1 ? 'machine' : 'machines'}`);
  lock.release();
  rmSync(data, { recursive: true, force: true });
  log(there ? `removed ${data}` : `there is no data directory ${data}`);
}

async function purgeContainers(data: string, stopEngine: () => Promise<boolean>): Promise<void> {
  const { purgeEngine } = await import('../infra/images/purge.ts');
  const { installationOf } = await import('../infra/stack/installation.ts');
  const { others, running, ...removed } = await purgeEngine(installationOf(data).id);
  const counts = Object.entries(removed).map(([what, count]) => `${count} ${what}`);
  log(`removed ${counts.join(', ')}`);
  if (others.length > 0) log(`the images and the container engine stay: they serve ${others.join(', ')}`);
  else if (running > 0)
    log(`the container engine stays: ${running} ${running === 1 ? 'container runs' : 'containers run'}`);
  else if (await stopEngine()) log('stopped the container engine that Sluice started');
}
