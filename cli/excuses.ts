import type { Command } from 'commander';
import type { Excuse, Excuses } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { parseLimit } from './look-back.ts';
import { paint, print, worded } from './output.ts';
import { keyOf, usualItems } from './queue-tree.ts';

/** Adds `excuses`. */
export function register(program: Command): void {
  const examples = ['sluice excuses', 'sluice excuses tinycdb/7', 'sluice excuses --json | jq .excuses'];
  const details =
    'Why changes wait: what is in queues, in their order, and open changes that were to come into one and are in none. ' +
    'Review systems are asked about the latter alone, or about the change that is named.';
  addClientOptions(addCommand(program, 'excuses', { examples, details }))
    .argument('[change]', 'number, PROJECT/NUMBER, CONNECTION:NUMBER or Change-Id')
    .option('--limit <number>', 'at most so many of each queue, and of those in none', parseLimit, usualItems)
    .action(async (change: string | undefined, { limit, ...options }: ClientOptions & { readonly limit: number }) => {
      print(await createClient(options).get<Excuses>('/api/excuses', { change, limit }), renderExcuses, options);
    });
}

/** Each with its reasons, below the name of its queue. */
function renderExcuses({ excuses, leftOut, unheard }: Excuses): string {
  const places = Map.groupBy(excuses, placeOf);
  const told = [...places].flatMap(([place, each]) => [paint('bold', place), ...each.flatMap(excuseLines), '']);
  const silent = unheard.map(({ connection, reason }) => `${connection} is not heard: ${reason}`);
  const notes = [
    ...silent.map((line) => paint('red', worded(line))),
    ...leftOut.map((line) => paint('dim', `Left out: ${worded(line)}`)),
  ];
  return [...(told.length > 0 ? told : ['Nothing waits.', '']), ...notes].join('\n').trimEnd();
}

function placeOf({ pipeline, queue }: Excuse): string {
  return pipeline === null ? 'In no queue' : `${pipeline} ${queue}`;
}

function excuseLines({ changes, state, why, waitsFor, next }: Excuse): readonly string[] {
  const names = changes.map(
    ({ id, patchset, project, subject }) => `${paint('bold', keyOf(id, patchset))} ${project} ${subject}`,
  );
  return [
    `  ${names.join(' + ')}`,
    `    ${worded(state)}`,
    ...labelled('why', why),
    ...labelled('waits for', waitsFor),
    ...labelled('next', next),
  ];
}

function labelled(label: string, lines: readonly string[]): readonly string[] {
  const gap = ' '.repeat(15);
  return lines.map((line, index) => {
    const head = (index === 0 ? label : '').padEnd(9);
    return `    ${paint('dim', head)}  ${worded(line).replaceAll('\n', `\n${gap}`)}`;
  });
}
