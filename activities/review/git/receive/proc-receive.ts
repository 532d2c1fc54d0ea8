import type { Readable, Writable } from 'node:stream';
import type { Command } from './context.ts';
import { createPktReader, type Section, writeSection } from './pkt-line.ts';
import type { Outcome, Receipt } from './receive.ts';

/** What git hands over of a push. */
export interface Handed {
  readonly commands: readonly Command[];
  readonly options: readonly string[];
  /** The pusher wants all of the push, or nothing. */
  readonly atomic: boolean;
}

/** The streams between git's receive-pack and its proc-receive hook. */
export interface Streams {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * Speaks version 1 of the protocol of git's proc-receive hook (see githooks(5)).
 *
 * @param take what to do with the push
 */
export async function serveProcReceive(
  { input, output }: Streams,
  take: (handed: Handed) => Promise<Receipt>,
): Promise<void> {
  const read = createPktReader(input);
  const offered = capabilities(await read());
  const withOptions = offered.includes('push-options');
  const atomic = offered.includes('atomic');
  const taken = [...(withOptions ? ['push-options'] : []), ...(atomic ? ['atomic'] : [])].join(' ');
  writeSection(output, [taken === '' ? 'version=1' : `version=1\0${taken}`]);
  const commands = (await read()).map(parseCommand);
  const options = withOptions ? await read() : [];
  const receipt = await take({ commands, options, atomic });
  writeSection(output, receipt.outcomes.flatMap(answer));
}

function capabilities([greeting = '']: Section): string[] {
  const [version, rest = ''] = greeting.split('\0');
  if (version !== 'version=1') throw new Error(`git speaks another protocol with its hooks: ${greeting}`);
  return rest.split(' ');
}

function parseCommand(line: string): Command {
  const [old = '', to = '', ...rest] = line.split(' ');
  return { old, new: to, ref: rest.join(' ') };
}

/** `ok` with the refs that were made instead of the pushed one, or `ng` with the reason. */
function answer({ command, refused, made }: Outcome): string[] {
  if (refused !== null) return [`ng ${command.ref} ${refused}`];
  const zero = '0'.repeat(command.new.length);
  if (made.length === 0) return [`ok ${command.ref}`, `option new-oid ${command.new}`];
  return made.flatMap(({ ref, old, commit }) => [
    `ok ${command.ref}`,
    `option refname ${ref}`,
    `option old-oid ${old ?? zero}`,
    `option new-oid ${commit}`,
    ...(old === null ? [] : ['option forced-update']),
  ]);
}
