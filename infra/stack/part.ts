import { watchTerminal } from './hangup.ts';

/** A part of the stack that runs in this process. */
export interface Part {
  /** Ends what it does, in order; a second call does no harm. */
  stop(): Promise<void>;
  /** Reads again what holds without a restart. Absent: nothing does. */
  reload?(): void;
  /** Ends when the part does, of itself or because it was stopped; fails when it cannot go on. */
  readonly ended: Promise<void>;
}

/** Milliseconds until a part that does not end is cut off. */
const patience = 12_000;

/**
 * Runs a part until this process is told to end: by SIGTERM, SIGINT, or the end of its terminal or of the supervisor that
 * started it. SIGHUP from anybody else has it read its configuration again. Then
 * the process ends, whatever the part left open: with status 1 when the part failed, 2
 * when its configuration is wrong.
 *
 * @param start starts the part, and ends when it does its work; its signal says that the process is told to end
 */
export async function runPart(start: (told: AbortSignal) => Promise<Part>): Promise<never> {
  const ending = new AbortController();
  const told = new Promise<void>((resolve) => {
    ending.signal.addEventListener('abort', () => resolve(), { once: true });
    const end = () => ending.abort();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, end);
    const gone = watchTerminal();
    process.on('SIGHUP', () => gone() && end());
    if (process.channel) process.once('disconnect', end);
  });
  try {
    await work(start(ending.signal), told);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${logLine(error)}\n`);
    process.exit(isConfiguration(error) ? 2 : 1);
  }
}

async function work(starting: Promise<Part>, told: Promise<void>): Promise<void> {
  const part = await Promise.race([starting, told.then(() => undefined)]);
  if (part !== undefined) {
    if (part.reload !== undefined) process.on('SIGHUP', () => part.reload?.());
    announceReady();
    await Promise.race([part.ended, told]);
  }
  const cut = setTimeout(() => process.exit(1), patience);
  await (await starting).stop();
  clearTimeout(cut);
}

/** By its name: most parts start without what reads a configuration. */
function isConfiguration(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidConfiguration';
}

/** The last line of a part that cannot go on, in the form of its log. */
function logLine(error: unknown): string {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const wrong = isConfiguration(error) ? { configuration: true } : {};
  return JSON.stringify({ level: 'fatal', time: new Date().toISOString(), msg: message, ...wrong, stack });
}

function announceReady(): void {
  process.send?.('ready');
}
