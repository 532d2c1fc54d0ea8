import { isPlaybook, type Playbook, type VisibleSecret } from '../../pipelines/model/job.ts';
import type { SeeingPlaybook } from '../../pipelines/model/secrets.ts';
import { Literal, variablesText } from '../../pipelines/playbooks/variables.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import type { Machine } from '../nodes/port.ts';
import { createMask, type Mask } from '../secrets/mask.ts';
import { type OpenedSecret, type OpenSecrets, Refused } from '../secrets/port.ts';
import type { ScriptContext } from './context.ts';
import { inside, mustExec } from './workspace.ts';

/** Where a program finds its secrets: in the memory of the machine alone. */
const directory = '/run/sluice-secrets';
/** The sources, and a home, as no program of the job has written to them. */
const apart = '/work-apart';
const home = '/run/sluice-home';

/** Milliseconds in which a machine is free of secrets. */
const scrubbing = 180_000;
/** Lines of secrets that are shorter, in characters, are in every file. */
const shortest = 4;

/** The stage of a job that may have secrets. */
interface Guarded {
  readonly open: OpenSecrets;
  readonly input: StageInput;
  readonly context: ScriptContext;
}

/** Runs a stage with the secrets of its job, and keeps them out of its log, its result, its signals and its errors. */
export async function withSecrets(
  { open, input, context }: Guarded,
  stage: (context: ScriptContext, secrets: SecretFiles) => Promise<StageResult>,
): Promise<StageResult> {
  const opened = await openAll(open, input);
  if (typeof opened === 'string') return { result: 'ERROR', summary: opened, artifacts: [] };
  const mask = createMask(opened.flatMap(({ values }) => values));
  const secrets = new SecretFiles(input, opened, mask);
  if (opened.length === 0) return stage(context, secrets);
  const log = mask.log(context.log);
  const failing = (line: string) => context.failing(mask.text(line));
  try {
    const result = mask.data(await stage({ ...context, log, failing }, secrets));
    if (!secrets.exposed) return result;
    return {
      ...result,
      result: 'SECRET_EXPOSURE',
      summary: `${input.build.job} printed a secret, which was not shown`,
    };
  } catch (error) {
    throw masked(mask, error);
  } finally {
    log.end();
  }
}

/** @returns why there are none, when they are refused */
async function openAll(open: OpenSecrets, input: StageInput): Promise<readonly OpenedSecret[] | string> {
  const { build, secrets } = input;
  if (secrets === undefined) return [];
  try {
    return await open({ build: build.id, job: build.job, sources: [...input.sources, input.source], secrets });
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

/** Errors reach Temporal with their stacks. */
function masked(mask: Mask, error: unknown): unknown {
  for (let each = error; each instanceof Error; each = each.cause) {
    each.message = mask.text(each.message);
    if (each.stack !== undefined) each.stack = mask.text(each.stack);
  }
  return error;
}

/** A playbook that is a program, and its path on the machine. */
export interface Program {
  readonly script: Playbook;
  readonly program: string;
}

/** How a program is run: its path, and what its environment says beyond the usual. */
export interface Place {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the sources are, as no program that it mistrusts could write to them. */
  readonly sources: string;
  /** For Ansible: the file of the secrets that are its variables. */
  readonly variables?: string;
}

/** The machine of a job, with its sources below `inside`, where its programs run as `user`. */
export interface Room {
  readonly machine: Machine;
  readonly inside: string;
  readonly user: string;
  readonly signal: AbortSignal;
}

/** The secrets of a job, as files that each of its programs finds for as long as it runs. */
export class SecretFiles {
  readonly #playbooks: readonly SeeingPlaybook[];
  readonly #opened: ReadonlyMap<string, OpenedSecret>;

  readonly #exposes: () => boolean;

  constructor({ secrets }: StageInput, opened: readonly OpenedSecret[], mask: Mask) {
    this.#playbooks = secrets?.playbooks ?? [];
    this.#opened = new Map(opened.map((one) => [one.secret, one]));
    this.#exposes = () => mask.found && secrets?.exposure === 'fail';
  }

  /** A program has printed a secret, and the job must fail for it. */
  get exposed(): boolean {
    return this.#exposes();
  }

  /** What the machine must have in memory. */
  get memory(): readonly string[] {
    return this.#opened.size === 0 ? [] : [directory];
  }

  /** To be called before the first program runs: keeps the sources as they are, where programs mistrust each other. */
  async prepare(room: Room): Promise<void> {
    if (!this.#playbooks.some((one) => this.#mistrusts(one))) return;
    await must(room, ['cp', '-r', '--preserve=mode,timestamps,links', '--', room.inside, apart]);
  }

  /** Runs a program with the files of the secrets that it may see, as `$SLUICE_SECRETS/NAME.json`. */
  async show<T>({ script, program }: Program, room: Room, run: (place: Place) => Promise<T>): Promise<T> {
    const same = ({ project, branch, path }: SeeingPlaybook) =>
      project === script.project && branch === script.branch && path === script.path;
    const playbook = this.#playbooks.find(same);
    const usual = { program, env: {}, sources: room.inside };
    if (playbook === undefined || playbook.secrets.length === 0) return run(usual);
    const place = this.#mistrusts(playbook) ? await setApart(program, room) : usual;
    const paths = await Promise.all(playbook.secrets.map((one) => this.#write(one, room)));
    const variables = isPlaybook(script) ? await this.#writeVariables(playbook.secrets, room) : undefined;
    if (variables !== undefined) paths.push(variables);
    const env = { ...place.env, SLUICE_SECRETS: directory };
    const result = await run({ ...place, env, ...(variables === undefined ? {} : { variables }) });
    await must(room, ['rm', '-f', '--', ...paths]);
    return result;
  }

  /** Takes what programs have had, and what they have written of it, out of a machine that others will look at. */
  async scrub(machine: Machine): Promise<void> {
    if (this.#opened.size === 0) return;
    await machine.quiet();
    const of = { machine, what: 'secrets', signal: AbortSignal.timeout(scrubbing) } as const;
    const lines = [...this.#opened.values()].flatMap(({ values }) => values.flatMap((value) => value.split(/\r?\n/)));
    const forms = lines.flatMap((line) => [line.trim(), JSON.stringify(line.trim()).slice(1, -1)]);
    const wanted = forms.filter((form) => form.length >= shortest);
    const find =
      'if test -d "$0"; then find "$0" -mindepth 1 -delete; fi && grep -rlZFf - -- "$@" 2>/dev/null | xargs -0 -r rm -f --';
    const places = [inside, apart, home, '/tmp', '/var/tmp'];
    await mustExec(of, ['sh', '-c', find, directory, ...places], `${wanted.join('\n')}\n`);
  }

  /** Whether another program of the job, which runs as the same user, may not see all that this one sees. */
  #mistrusts({ secrets }: SeeingPlaybook): boolean {
    return this.#playbooks.some((other) =>
      secrets.some(({ secret }) => other.secrets.every((seen) => seen.secret !== secret)),
    );
  }

  async #write({ name, secret }: VisibleSecret, room: Room): Promise<string> {
    if (!/^\w+$/.test(name)) throw new Error(`a secret cannot be called ${JSON.stringify(name)}`);
    return writeFor(room, `${directory}/${name}.json`, JSON.stringify(this.#data(secret)));
  }

  /** What a secret holds is nobody's template. */
  #writeVariables(secrets: readonly VisibleSecret[], room: Room): Promise<string> {
    const variables = secrets.map(({ name, secret }) => [name, new Literal(this.#data(secret))]);
    return writeFor(room, `${directory}/.variables.yaml`, variablesText(Object.fromEntries(variables)));
  }

  #data(secret: string) {
    return this.#opened.get(secret)?.data ?? {};
  }
}

/** Ends what other programs left running, and leads to sources and a home that they could not write to. */
async function setApart(program: string, room: Room): Promise<Place> {
  await must(room, ['sh', '-c', 'kill -KILL -1 || true']);
  await must(room, ['rm', '-rf', '--', home]);
  await must(room, ['install', '-d', '-m', '0700', '-o', room.user, home]);
  const writable = program.startsWith(`${room.inside}/`);
  const path = writable ? apart + program.slice(room.inside.length) : program;
  return { program: path, env: { HOME: home }, sources: apart };
}

/** For the programs' user alone. @returns the path */
async function writeFor(room: Room, path: string, content: string): Promise<string> {
  await must(room, ['install', '-m', '0400', '-o', room.user, '/dev/stdin', path], content);
  return path;
}

function must({ machine, signal }: Room, argv: readonly string[], input?: string): Promise<void> {
  return mustExec({ machine, what: 'secrets', signal }, argv, input);
}
