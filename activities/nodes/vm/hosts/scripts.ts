import { fileURLToPath } from 'node:url';

/** Where a machine's console is written, in its directory. */
export const consoleFile = 'console.log';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Programs in Perl that work on hosts. */
export const scripts = {
  /** Prints what machines send each other. */
  capture: here('../../capture.pl'),
  /** Writes a machine's console down, and keeps its end. */
  console: here('console.pl'),
  /** Starts an emulator that outlives us. */
  launch: here('launch.pl'),
  /** Names the processes that are a machine. */
  processes: here('processes.pl'),
  /** Carries what a connection over SSH says to a socket, and back. */
  relay: here('relay.pl'),
  /** Writes what comes by a socket into a file. */
  receive: here('receive.pl'),
} as const;
