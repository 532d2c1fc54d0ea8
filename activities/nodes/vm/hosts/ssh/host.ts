import { OutOfService } from '../../../out-of-service.ts';
import { openTargetLine } from '../../../ssh/target.ts';
import type { Host } from '../port.ts';
import { sshFiles } from './files.ts';
import { kill, launch, perl, processes, run } from './programs.ts';
import type { HostSettings } from './settings.ts';
import { openShell } from './shell.ts';
import { begin, connectIn, receive } from './sockets.ts';

/** A host that connections are open to. */
export interface SshHost extends Host {
  /** Closes them. What runs there goes on. */
  close(): void;
}

/** A machine that is reached over SSH; nothing happens before it is asked for. */
export function openSshHost(settings: HostSettings): SshHost {
  const called = `the host ${settings.name}`;
  const shell = openShell(() => openTargetLine(settings, called));
  return {
    name: settings.name,
    files: sshFiles(shell),
    async answers() {
      await shell.run(['true']).catch(({ message, cause }: Error) => {
        // That it is away is said once.
        throw new OutOfService(called, cause instanceof Error ? cause.message : message);
      });
    },
    run: (program, args, options = {}) => run(shell, [program, ...args], options),
    begin: (program, args) => begin(shell, perl(program, ...args)),
    launch: (what) => launch(shell, what),
    processes: (name) => processes(shell, name),
    kill: (pids) => kill(shell, pids),
    connect: (directory, socket) => connectIn(shell, directory, socket),
    receive: (directory, socket, path) => receive(shell, [directory, socket, path]),
    close: () => shell.close(),
  };
}
