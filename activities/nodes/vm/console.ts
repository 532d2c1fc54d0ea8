import { join } from 'node:path';
import { cutAtStart } from '../../../pipelines/report/machines.ts';
import type { Spot } from './hosts/port.ts';
import { consoleFile } from './hosts/scripts.ts';

/** How much of a console is read, in bytes from its end. */
const kept = 1024 * 1024;

/**
 * What a machine has printed on its serial console so far, without what only a terminal understands: its last MiB, and
 * at its end whether that is not all.
 */
export async function readConsole({ host, directory }: Spot): Promise<string> {
  const found = await host.files.readEnd(join(directory, consoleFile), kept);
  if (found === null) return '';
  const text = found.text.replace(/[^\n\t\x20-\x7e]/g, '');
  return found.size <= kept ? text : `${text.trimEnd()}\n${cutAtStart}\n`;
}

/** What a machine has printed on its console last, for whoever asks why it does not answer; nothing where that is not known. */
export async function lastWords(spot: Spot): Promise<string> {
  return (await readConsole(spot).catch(() => '')).trim().slice(-1_000);
}
