import { z } from 'zod';

const task = z.object({ task: z.string(), path: z.string() });
const failedTask = task.extend({ host: z.string(), message: z.string() });
const record = z.object({
  /** Variables that the playbook asks for. */
  prompts: z.array(z.string()),
  plays: z.int(),
  /** The `hosts` of those plays that no node is among. */
  unmatched: z.array(z.string()),
  failed: z.array(failedTask),
  /** The task that began last. */
  now: task.optional(),
  /** A task that asks for something. */
  asking: task.optional(),
});

/** How a run of a playbook ended. */
export interface PlaybookRun {
  /** Path of the playbook in its repository. */
  readonly path: string;
  /** Where the repository is on the node. */
  readonly root: string;
  /** The names of the hosts that there are. */
  readonly hosts: readonly string[];
  /** The exit status of `ansible-playbook`. */
  readonly code: number;
  /** What it printed. */
  readonly output: string;
  /** What the callback `sluice` has written, as JSON. */
  readonly record: string;
}

/** Why a playbook did not end well: `ERROR` where another attempt cannot help. */
export interface PlaybookFault {
  readonly result: 'FAILURE' | 'ERROR';
  readonly summary: string;
}

/** What the exit status says when tasks have failed on hosts. */
const hostsFailed = 2;
/** What is said where a task wants to be somebody else. */
const noBecome = /\bsudo: (command )?not found/;
/** Characters of a reason. */
const longest = 300;

/** Why a playbook did not end well, in one line; the exit status alone does not tell. */
export function playbookFault(run: PlaybookRun): PlaybookFault | undefined {
  const fault = faultOf(run);
  return fault && { ...fault, summary: oneLine(fault.summary.replaceAll(`${run.root}/`, '')) };
}

function faultOf({ path, hosts, code, output, record: text }: PlaybookRun): PlaybookFault | undefined {
  const told = readRecord(text);
  const last = told?.failed.at(-1);
  if (told !== undefined && told.prompts.length > 0) return { result: 'ERROR', summary: asks(path, told.prompts) };
  if (told?.asking !== undefined) return { result: 'ERROR', summary: waits(path, told.asking) };
  if (code !== 0 && last !== undefined) {
    const where = hosts.length > 1 ? `${last.path} on ${last.host}` : last.path;
    const remark = noBecome.test(last.message)
      ? '; tasks run as they are: there is no become on the nodes of jobs'
      : '';
    return {
      result: 'FAILURE',
      summary: `${path}: the task "${last.task}" (${where}) failed: ${last.message}${remark}`,
    };
  }
  if (code !== 0) {
    const said = spoken(output);
    const summary = said === undefined ? `${path}: ansible-playbook ended with ${code}` : `${path}: ${said}`;
    return { result: code === hostsFailed ? 'FAILURE' : 'ERROR', summary };
  }
  if (told === undefined) return { result: 'ERROR', summary: `${path}: what came of it was not left to be read` };
  if (told.unmatched.length < told.plays) return undefined;
  const wanted = told.unmatched.map((pattern) => `"hosts: ${pattern}"`).join(', ');
  const summary = `${path}: nothing was run: no host of ${hosts.join(', ')} is among ${wanted}`;
  return { result: 'FAILURE', summary };
}

/** Says of a playbook that was not done in time in which of its tasks it was. */
export function playbookLate({ path, root, record: text }: Pick<PlaybookRun, 'path' | 'root' | 'record'>): string {
  const now = readRecord(text)?.now;
  const where = now === undefined ? '' : `: it was in the task "${now.task}" (${now.path.replace(`${root}/`, '')})`;
  return oneLine(`${path} was not done in time${where}`);
}

/** Remarks about plays that nothing was run of, where others were. */
export function unmatchedPlays({ path, record: text }: Pick<PlaybookRun, 'path' | 'record'>): readonly string[] {
  const { plays = 0, unmatched = [] } = readRecord(text) ?? {};
  if (unmatched.length >= plays) return [];
  return unmatched.map((pattern) => oneLine(`${path}: no host is among "hosts: ${pattern}"`));
}

function readRecord(text: string): z.output<typeof record> | undefined {
  try {
    return record.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asks(path: string, prompts: readonly string[]): string {
  return `${path} asks for ${prompts.join(', ')} (vars_prompt), and nobody answers: give it in "extra-vars" of the job`;
}

function waits(path: string, { task: name, path: place }: z.output<typeof task>): string {
  return `${path}: the task "${name}" (${place}) asks for something (pause), and nobody answers: give it "seconds"`;
}

/** The error that Ansible ended with: what it says, after file, line and column where it names them. */
function spoken(output: string): string | undefined {
  const [, from] = /^(?:ERROR!|\[ERROR\]:) ([\s\S]*)$/m.exec(output) ?? [];
  if (from === undefined) return undefined;
  const place =
    /^The error appears to be in '(.+)': line (\d+), column (\d+)/m.exec(from) ??
    /^Origin: (.+):(\d+):(\d+)$/m.exec(from);
  const end = place === null ? from.search(/\n\n/) : place.index;
  const words = end === -1 ? from : from.slice(0, end);
  return place === null ? words : `${place.slice(1, 4).join(':')}: ${words}`;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
