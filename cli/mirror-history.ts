import type { Command } from 'commander';
import type { MirrorRecord } from '../server/api/types.ts';
import { addCommand } from './command.ts';
import { parseLimit, printRecords, sayMore, when } from './look-back.ts';
import { duration, paint, table } from './output.ts';
import { addServerOrStackOptions, type ServerOrStackOptions, withServerOrStack } from './server-or-stack.ts';

interface Options extends ServerOrStackOptions {
  readonly limit: number;
}

interface ToldHost {
  readonly outcome?: string;
  readonly error?: { readonly message: string } | null;
}

/** Adds `mirror history`. */
export function register(program: Command): void {
  const examples = ['sluice mirror history', 'sluice mirror history deb --limit 100'];
  const details =
    'What the store keeps: syncs and rollbacks, whoever began them. `mirror status` says what mirrors show now.';
  addServerOrStackOptions(addCommand(program, 'mirror history', { examples, details }))
    .argument('[set]', 'of this set of mirrors (default: of all)')
    .option('--limit <number>', 'at most so many, newest first', parseLimit, 20)
    .action(async (set: string | undefined, options: Options) => {
      const { limit } = options;
      const { records, more } = await withServerOrStack(options, (client) =>
        client.list<MirrorRecord>('/api/mirrors', { set }, limit),
      );
      printRecords(records, render, options);
      if (more && !options.json) sayMore(limit);
    });
}

function render(transactions: readonly MirrorRecord[]): string {
  if (transactions.length === 0) return 'There are no such transactions.';
  const rows = transactions.map(({ startTime, endTime, set, outcome, snapshot, result }) => {
    const took = endTime === null ? '' : duration((endTime - startTime) / 1000);
    const colour = { running: 'blue', committed: 'green', unchanged: 'green' } as const;
    const words = paint(colour[outcome as keyof typeof colour] ?? 'red', outcome);
    const did = result?.did === 'rolled-back' ? 'rollback' : 'sync';
    const hosts = Object.entries((result?.hosts ?? {}) as Readonly<Record<string, ToldHost>>);
    return [
      ...[when(startTime), set, did, words, snapshot ?? '-', took],
      hosts.map(([host, { outcome: went }]) => `${host} ${went ?? '?'}`).join(', '),
      hosts.flatMap(([host, { error }]) => (error ? [`${host}: ${error.message}`] : [])).join('; '),
    ];
  });
  return table(['STARTED (UTC)', 'SET', 'DID', 'OUTCOME', 'SNAPSHOT', 'TOOK', 'HOSTS', 'WHY'], rows);
}
