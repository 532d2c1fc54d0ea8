import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** How much of a console is read, in bytes from its end. */
const kept = 1024 * 1024;

/** What a machine has printed on its serial console so far, without what only a terminal understands; its last MiB. */
export async function readConsole(directory: string): Promise<string> {
  const file = await open(join(directory, 'console.log')).catch(() => null);
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const position = Math.max(0, size - kept);
    const buffer = Buffer.alloc(size - position);
    const { bytesRead } = await file.read({ buffer, position });
    return buffer.toString('latin1', 0, bytesRead).replace(/[^\n\t\x20-\x7e]/g, '');
  } finally {
    await file.close();
  }
}
