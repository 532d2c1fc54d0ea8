import { hostname } from 'node:os';
import { beginPerl } from '../../../../process/begin.ts';
import { sendSignal } from '../../../../process/send-signal.ts';
import type { Host } from '../port.ts';
import { scripts } from '../scripts.ts';
import { localFiles } from './files.ts';
import { launch, processes, run } from './programs.ts';
import { connectIn, receive } from './sockets.ts';

/** This machine. */
export const localHost: Host = {
  name: hostname(),
  files: localFiles,
  answers: async () => {},
  run,
  begin: (program, args) => beginPerl(scripts[program], args),
  launch,
  processes,
  kill: async (pids) => {
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
  },
  connect: connectIn,
  receive,
};
