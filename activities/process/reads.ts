import { readFile } from 'node:fs/promises';

/**
 * Calls `onSilence` when a process has read nothing, from files or connections, for so many milliseconds. Works where
 * there is /proc; elsewhere it never calls.
 *
 * @returns ends the watch
 */
export function watchReads(pid: number, silence: number, onSilence: () => void): () => void {
  let before: string | undefined;
  let since = Date.now();
  const timer = setInterval(
    async () => {
      const text = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
      const read = /^rchar: (\d+)/.exec(text)?.[1];
      if (read === undefined) return;
      if (read !== before) [before, since] = [read, Date.now()];
      else if (Date.now() - since >= silence) onSilence();
    },
    Math.min(1_000, silence / 4),
  );
  return () => clearInterval(timer);
}
