import { PassThrough } from 'node:stream';
import { z } from 'zod';
import type { Machine } from '../nodes/port.ts';
import { control } from './control.ts';

/** Where the connection plugin asks. */
const socket = '/run/sluice-nodes.sock';
/** Characters of a request, and of what one command prints: larger files travel in pieces. */
const longest = 8 * 1024 * 1024;
/** Commands at once; Ansible itself asks for five hosts at a time. */
const most = 32;

const request = z.strictObject({
  id: z.int(),
  node: z.string(),
  script: z.string(),
  input: z.string(),
  root: z.boolean(),
});
type Request = z.output<typeof request>;

/** What a playbook may reach, and from where. */
export interface Reach {
  /** Where Ansible runs. */
  readonly control: Machine;
  /** By their names; no other machine is reached. */
  readonly nodes: ReadonlyMap<string, Pick<Machine, 'exec'>>;
  /** Who runs what becomes nobody else, and where. */
  readonly as: { readonly user: string; readonly cwd: string; readonly home: string };
  readonly signal: AbortSignal;
}

export interface Channel {
  /** For `ansible-playbook`. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends what is left of its commands. @throws the first fault of the infrastructure that one has met */
  close(): Promise<void>;
}

/**
 * Lets Ansible on `control` run commands on the nodes by the connection `sluice`, through this process: nothing else is
 * needed between them, and nothing but their own machines runs what is asked for.
 */
export async function openChannel(reach: Reach): Promise<Channel> {
  const ending = new AbortController();
  const signal = AbortSignal.any([reach.signal, ending.signal]);
  const answers = new PassThrough();
  const pending = new Set<Promise<void>>();
  let fault: unknown;
  const ready = Promise.withResolvers<void>();
  const fail = (error: unknown) => {
    fault ??= signal.aborted ? undefined : error;
    ending.abort();
  };
  const take = (line: string) => {
    if (line === '{"ready": true}') return ready.resolve();
    const asked = readRequest(line);
    if (asked === undefined) return;
    const work = answerTo({ ...reach, signal }, asked, pending.size).then(
      (answer) => void answers.write(`${JSON.stringify(answer)}\n`),
      fail,
    );
    pending.add(work);
    void work.finally(() => pending.delete(work));
  };
  const argv = ['python3', `${control}/channel.py`, socket];
  const broker = reach.control
    .exec(argv, { input: answers, log: { write: eachLine(take, fail) }, signal: reach.signal })
    .then(({ output }) => ready.reject(new Error(`no way to the nodes: ${output}`)), ready.reject);
  await ready.promise;
  return {
    env: { SLUICE_NODES: socket },
    close: async () => {
      if (pending.size > 0) ending.abort();
      answers.end();
      await Promise.all([broker, ...pending]);
      if (fault !== undefined) throw fault;
    },
  };
}

const superuser = { user: 'root', cwd: '/root', home: '/root' };

/** What is no request is passed over: whoever has written it waits in vain. */
function readRequest(line: string): Request | undefined {
  try {
    return request.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** @throws what the infrastructure does not let it do */
async function answerTo({ nodes, as, signal }: Omit<Reach, 'control'>, asked: Request, others: number) {
  const { id, node, script, input, root } = asked;
  const machine = nodes.get(node);
  if (machine === undefined) return { id, lost: 'the job has no such node' };
  if (others >= most) return { id, lost: `more than ${most} commands at once` };
  let output = '';
  const write = (text: string) => {
    if (output.length <= longest) output += text;
  };
  const { user, cwd, home } = root ? superuser : as;
  const place = { user, cwd, env: { HOME: home } };
  const { code } = await machine.exec(['/bin/sh', '-c', script], { ...place, input, log: { write }, signal });
  if (output.length > longest) return { id, lost: `a command printed more than ${longest} characters` };
  return { id, code, output };
}

function eachLine(take: (line: string) => void, fail: (error: unknown) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longest) fail(new Error('a playbook asks for too much at once'));
    for (const line of lines) take(line);
  };
}
