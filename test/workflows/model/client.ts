import {
  type Client,
  QueryNotRegisteredError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { fromPayloads, toError, toPayloads } from './sdk.ts';
import type { Server } from './server.ts';

interface Named {
  readonly name: string;
}

interface StartOptions {
  readonly workflowId: string;
  readonly args: readonly unknown[];
}

interface WithStart {
  readonly workflowTypeOrFunc: string;
  readonly options: StartOptions;
}

interface Asked {
  readonly execution: { readonly workflowId: string; readonly runId: string };
}

/** Hears the answer to each update, also to one that its sender has repeated. */
export type Heard = (update: string, args: readonly unknown[], answer: unknown) => void;

/** As much of Temporal's client as Sluice uses. Every call is a message on its way, and one of its own for a repetition. */
export function clientOf(server: Server, heard: Heard = () => {}): Client {
  const call = <T>(label: string, work: () => T, repeat?: () => unknown): Promise<Awaited<T>> =>
    new Promise((resolve, reject) => {
      const deliver = () => {
        try {
          resolve(work() as Awaited<T>);
        } catch (error) {
          reject(error);
        }
      };
      server.post({ label, deliver, ...(repeat ? { repeat: () => void repeat() } : {}) });
    });
  const begin = (type: string, { workflowId, args }: StartOptions) =>
    server.start({ workflowId, workflowType: type, input: toPayloads(args) });

  const send = (id: string, { name }: Named, args: readonly unknown[]) =>
    server.signal(id, { signalName: name, input: toPayloads(args) });

  const update = async (...asked: Parameters<typeof ask>): Promise<unknown> => {
    const answer = await ask(...asked);
    heard(asked[1], asked[2].args, answer);
    return answer;
  };

  /** Waits through continue-as-new, as the server's front does. */
  const ask = async (
    id: string,
    name: string,
    asked: { updateId: string; args: readonly unknown[] },
  ): Promise<unknown> => {
    const { updateId, args } = asked;
    const told = await new Promise<Parameters<Parameters<Server['update']>[2]>[0]>((resolve) => {
      const found = server.update(id, { updateId, name, input: toPayloads(args) }, resolve);
      if (!found) resolve('gone');
    });
    if (told !== 'gone') {
      if (told.failure) throw new WorkflowUpdateFailedError('Workflow Update failed', toError(told.failure));
      return fromPayloads(told.result ? [told.result] : [])[0];
    }
    if (server.run(id)?.isOpen) return call(`${name} to ${id} again`, () => ask(id, name, asked));
    throw new WorkflowNotFoundError('workflow not found for ID', id, undefined);
  };

  const found = (id: string, runId?: string) => {
    const run = runId === undefined ? server.run(id) : server.runs.find(({ identity }) => identity.runId === runId);
    if (!run) throw new WorkflowNotFoundError('workflow not found for ID', id, runId);
    return run;
  };

  const workflow = {
    async *list({ query }: { readonly query: string }) {
      const [, type] = query.match(/^WorkflowType = "(\w+)" AND ExecutionStatus = "Running"$/) ?? [];
      for (const { id, isOpen, identity, input } of [...server.runs]) {
        if (!isOpen || identity.workflowType !== type) continue;
        const [names] = fromPayloads(input) as [Record<string, string>];
        const typedSearchAttributes = { get: ({ name }: Named) => names[name.replace('Sluice', '').toLowerCase()] };
        yield { workflowId: id, typedSearchAttributes, startTime: new Date(server.now) };
      }
    },

    async result(id: string, runId?: string) {
      const { status, result, failure } = found(id, runId);
      if (status === 'completed') return fromPayloads(result ? [result] : [])[0];
      throw new WorkflowFailedError('Workflow execution failed', failure && toError(failure), 'NON_RETRYABLE_FAILURE');
    },

    start: (type: string, options: StartOptions) =>
      call(`start ${options.workflowId}`, () => {
        if (begin(type, options)) return;
        throw new WorkflowExecutionAlreadyStartedError('Workflow execution already started', options.workflowId, type);
      }),

    signalWithStart(
      type: string,
      { signal, signalArgs, ...options }: StartOptions & { signal: Named; signalArgs: readonly unknown[] },
    ) {
      const hand = () => {
        begin(type, options);
        send(options.workflowId, signal, signalArgs);
      };
      return call(`${signal.name} to ${options.workflowId}`, hand, hand);
    },

    executeUpdateWithStart(
      def: Named,
      { startWorkflowOperation: start, args }: { startWorkflowOperation: WithStart; args: readonly unknown[] },
    ) {
      const { workflowTypeOrFunc: type, options } = start;
      const send = () => {
        begin(type, options);
        return update(options.workflowId, def.name, { updateId: server.nextId('update'), args });
      };
      return call(`${def.name} to ${options.workflowId}`, send, () => void send().catch(() => undefined));
    },

    getHandle: (id: string, runId?: string) => ({
      signal(def: Named, ...args: readonly unknown[]) {
        const hand = () => send(id, def, args);
        const first = () => {
          if (!hand()) throw new WorkflowNotFoundError('workflow not found for ID', id, undefined);
        };
        return call(`${def.name} to ${id}`, first, hand);
      },
      executeUpdate(def: Named, { updateId, args }: { readonly updateId?: string; readonly args: readonly unknown[] }) {
        // Who has not heard an answer asks anew: only the ids of messages tell that it is the same.
        const send = () => update(id, def.name, { updateId: updateId ?? server.nextId('update'), args });
        return call(`${def.name} to ${id}`, send, () => void send().catch(() => undefined));
      },
      async describe() {
        const run = found(id, runId);
        const name = run.status === 'canceled' ? 'CANCELLED' : run.status.toUpperCase();
        const closeTime = run.closed === undefined ? undefined : new Date(run.closed);
        return { runId: run.identity.runId, workflowId: id, closeTime, status: { name } };
      },
      async query({ name }: Named): Promise<unknown> {
        const run = found(id, runId);
        return new Promise((resolve, reject) => {
          const deliver = (): unknown => {
            // Between tasks, as the server has it.
            if (run.isOpen && (run.open || run.history.length === 0)) return server.post({ label, deliver });
            if (run.history.length === 0 || run.stuck !== undefined) return reject(new Error('no worker answers'));
            const unknown = () => reject(new QueryNotRegisteredError(`${id} does not know ${name}`, 3));
            return run.query(name).then(resolve, unknown);
          };
          const label = `${name} of ${id}`;
          server.post({ label, deliver });
        });
      },
      cancel() {
        return call(`cancel ${id}`, () => {
          const run = server.run(id);
          if (!run?.isOpen) throw new WorkflowNotFoundError('workflow not found for ID', id, undefined);
          server.requestCancel(run);
        });
      },
    }),
  };
  const workflowService = {
    /** The beginning of it. */
    async getWorkflowExecutionHistory({ execution: { workflowId, runId } }: Asked) {
      const { originalRunId } = found(workflowId, runId).identity;
      const started = { originalExecutionRunId: originalRunId };
      return { history: { events: [{ workflowExecutionStartedEventAttributes: started }] } };
    },
  };
  const withDeadline = (_: number, work: () => unknown) => work();
  return { workflow, workflowService, withDeadline, options: { namespace: 'default' } } as unknown as Client;
}
