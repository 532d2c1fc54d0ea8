import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Preparation } from '../server/api/types.ts';
import { type ApiClient, addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { failed, misused } from './fault.ts';
import { duration, log, print } from './output.ts';

/** Milliseconds between two questions how far it is. */
const pause = 1_000;

/** Adds `vm prepare`. */
export function register(program: Command): void {
  addClientOptions(
    addCommand(program, 'vm prepare', {
      examples: ['sluice vm prepare', 'sluice vm prepare debian-12-vm'],
      details:
        'Boots a machine, waits until it is healthy, saves its memory and tries one that is restored from it. Jobs that ' +
        'begin from then on get the new one; where it fails, the one before stays. Who joins a preparation that goes on ' +
        'already waits for its end; one that is left (Ctrl-C) goes on.',
    }),
  )
    .argument('[platforms...]', 'platforms with `provider: vm`; all of them where none is named')
    .action(async (named: string[], options: ClientOptions) => {
      const client = createClient(options);
      const platforms = named.length > 0 ? named : await client.get<string[]>('/api/machines/platforms');
      if (platforms.length === 0) throw misused('no platform of the configuration has `provider: vm`');
      const done: Preparation[] = [];
      for (const platform of platforms) done.push(await prepare(client, platform));
      print(done, (all) => all.map(sentence).join('\n'), options);
      if (done.some(({ state }) => state !== 'done')) throw failed();
    });
}

async function prepare(client: ApiClient, platform: string): Promise<Preparation> {
  await client.post('/api/machines/prepare', { platform });
  log(`preparing the machines of ${platform}`);
  for (;;) {
    const now = await client.get<Preparation>('/api/machines/preparation', { platform });
    if (now.state !== 'running') return now;
    await sleep(pause);
  }
}

function sentence(one: Preparation): string {
  if (one.state === 'failed') return `${one.platform} is not prepared, and what there was stays: ${one.reason}`;
  if (one.state !== 'done') return `${one.platform}: it is not known what came of it`;
  const { snapshot, bootMs } = one.prepared;
  return `${one.platform}: prepared as ${snapshot}; its boot took ${duration(bootMs / 1000)}`;
}
