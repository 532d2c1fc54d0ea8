import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import { freePort } from '../../../infra/stack/ports.ts';
import { type DevServerOptions, devServerArguments } from '../../../infra/temporal/dev-server-arguments.ts';

export type { DevServerOptions };

export interface DevServer {
  readonly address: string;
  readonly pid: number;
  /** Milliseconds until it answers. */
  ready(timeout?: number): Promise<void>;
  /** Ends it: politely, or at once as a crash would. */
  stop(how?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Starts the embedded server as a child process. `port` 0 takes a free one. */
export async function startDevServer(executable: string, options: DevServerOptions): Promise<DevServer> {
  const port = options.port === 0 ? await freePort() : options.port;
  const child = spawn(executable, devServerArguments({ ...options, port }), { stdio: 'ignore' });
  const address = `${options.host ?? '127.0.0.1'}:${port}`;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    address,
    pid: child.pid ?? 0,
    ready: (timeout = 15_000) => waitUntilReady(address, child, Date.now() + timeout),
    async stop(how = 'SIGTERM') {
      child.kill(how);
      await ended;
    },
  };
}

async function waitUntilReady(address: string, child: ChildProcess, deadline: number): Promise<void> {
  for (;;) {
    try {
      const connection = await NativeConnection.connect({ address });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      await connection.close();
      return;
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`the Temporal server ended with ${child.exitCode}`);
      if (Date.now() > deadline) throw new Error(`no Temporal server at ${address}`, { cause: error });
      await sleep(50);
    }
  }
}
