import type { ExecOptions } from './port.ts';

/**
 * Kills what runs when time is up or the caller aborts.
 *
 * @param kill never throws; fulfilled when whoever was killed had the time to end
 * @returns `gaveUp` resolves when even that brought no end
 */
export function watchEnd({ signal, timeout }: ExecOptions, kill: () => Promise<void>) {
  let late = false;
  let giveUp = () => {};
  const gaveUp = new Promise<void>((resolve) => {
    giveUp = resolve;
  });
  const end = () => void kill().then(giveUp);
  const onTimeout = () => {
    late = true;
    end();
  };
  const timer = timeout === undefined ? undefined : setTimeout(onTimeout, timeout);
  // It may have been aborted while the program was started: that is told once, and not again.
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  const stop = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  };
  return { gaveUp, stop, timedOut: () => late };
}
