import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { cutAtStart } from '../../../pipelines/report/machines.ts';

/** How much of a console is read, in bytes from its end. */
const kept = 1024 * 1024;

const writer = fileURLToPath(new URL('console.pl', import.meta.url));

/** A machine's console, after what it has printed before; absent: it has none yet. */
const fileIn = (directory: string) => join(directory, 'console.log');

/**
 * Has what is written to the answer, whatever process does, at the end of a machine's console, of which no more than
 * 2 MiB are on disk. Whoever does so ends when nobody has the answer any more, and may outlive this process.
 */
export async function openConsole(directory: string): Promise<Writable> {
  const path = fileIn(directory);
  await appendFile(path, '', { mode: 0o600 });
  const child = spawn('perl', [writer, path], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  child.unref();
  return child.stdin;
}

/**
 * What a machine has printed on its serial console so far, without what only a terminal understands: its last MiB, and
 * at its end whether that is not all.
 */
export async function readConsole(directory: string): Promise<string> {
  const file = await open(fileIn(directory)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const position = Math.max(0, size - kept);
    const buffer = Buffer.alloc(size - position);
    const { bytesRead } = await file.read({ buffer, position });
    const text = buffer.toString('latin1', 0, bytesRead).replace(/[^\n\t\x20-\x7e]/g, '');
    return position === 0 ? text : `${text.trimEnd()}\n${cutAtStart}\n`;
  } finally {
    await file.close();
  }
}

/** What a machine has printed on its console last, for whoever asks why it does not answer; nothing where that is not known. */
export async function lastWords(directory: string): Promise<string> {
  return (await readConsole(directory).catch(() => '')).trim().slice(-1_000);
}
