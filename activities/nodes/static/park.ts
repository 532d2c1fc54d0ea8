import { EngineUnavailable } from '../engine-unavailable.ts';
import { distinct } from '../lending.ts';
import { OutOfService } from '../out-of-service.ts';
import type { LeaseRequest, Made } from '../port.ts';
import type { Line } from '../ssh/line.ts';
import { openTargetLine } from '../ssh/target.ts';
import { cleanMachine, type GivenRemote, reach } from './clean.ts';
import { type GivenState, readState, writeState } from './records.ts';
import type { GivenSettings } from './settings.ts';

/** The machines that there are, and where it is written down who has them. */
export interface ParkDeps {
  readonly directory: string;
  /** Whose the leases are; null for what is lent by hand. */
  readonly installation: string | null;
  readonly machines: readonly GivenSettings[];
  /** A URL of this server as machines elsewhere reach it; absent: as from everywhere. */
  readonly urlInside?: ((url: string) => string) | undefined;
}

/** A machine that a build has. */
export interface ClaimedMachine {
  readonly settings: GivenSettings;
  readonly remote: GivenRemote;
}

/** What a build wants: one machine, for one of its nodes. */
export interface Claim {
  readonly request: LeaseRequest;
  readonly label: string;
  readonly node: string;
  /** Which one; absent: any that is free. */
  readonly name?: string | undefined;
}

/** What has become of a machine that was out of service. */
export interface Mended {
  readonly name: string;
  /** Why it still is; absent: it is back. */
  readonly why?: string;
}

/** Somebody has it still: that ends by itself. */
function taken(name: string | undefined, label: string): Error {
  const cause = 'the build that had it before has not given it back';
  return name === undefined
    ? new Error(`no machine with the label ${label} is free`)
    : EngineUnavailable.away('lend', cause, `the machine ${name}`);
}

/** What this process does with a machine it does one thing after the other. */
const inHand = new Map<string, Promise<unknown>>();

/** Keeps machines that are there: each is lent to one build at a time, and cleaned before anybody has it again. */
export class Park {
  readonly #deps: ParkDeps;
  readonly #lines = new Map<string, Line>();

  constructor(deps: ParkDeps) {
    this.#deps = deps;
  }

  get urlInside(): ParkDeps['urlInside'] {
    return this.#deps.urlInside;
  }

  /** @throws OutOfService; an error where none is free */
  async claim(claim: Claim): Promise<ClaimedMachine> {
    const { name, label } = claim;
    const able = this.#deps.machines.filter((each) =>
      name === undefined ? each.labels.includes(label) : each.name === name,
    );
    let out: OutOfService | undefined;
    for (const settings of able) {
      try {
        const claimed = await this.#alone(settings, () => this.#take(settings, claim));
        if (claimed !== null) return claimed;
      } catch (error) {
        if (!(error instanceof OutOfService)) throw error;
        out = error;
      }
    }
    throw out ?? taken(name, label);
  }

  /** Machines that a build has, with the names of the nodes that they stand for. */
  async of(build: string): Promise<readonly ClaimedMachine[]> {
    const mine = await this.#lentTo(build);
    return Promise.all(
      mine.map(async (settings) => ({ settings, remote: await reach(this.#line(settings), settings) })),
    );
  }

  async has(build: string, { name }: Pick<GivenSettings, 'name'>): Promise<boolean> {
    const state = await readState(this.#deps.directory, name);
    return state?.state === 'lent' && state.build === build;
  }

  /** Cleans what a build has. What cannot be cleaned is out of service; others go on. */
  async giveBack(build: string): Promise<void> {
    for (const settings of await this.#lentTo(build)) {
      await this.#alone(settings, async () => {
        if (await this.has(build, settings)) await this.#clean(settings).catch(() => {});
      });
    }
  }

  /** What is lent for this installation. */
  async list(): Promise<readonly Made[]> {
    const { installation, directory, machines } = this.#deps;
    if (installation === null) return [];
    const states = await Promise.all(machines.map(({ name }) => readState(directory, name)));
    const made = states.flatMap((state) =>
      state?.state === 'lent' && state.installation === installation
        ? [{ build: state.build, ...(state.holder === undefined ? {} : { holder: state.holder }) }]
        : [],
    );
    return distinct(made);
  }

  /** Tries to clean what nobody has and is not clean. */
  async mend(): Promise<readonly Mended[]> {
    const tried = this.#deps.machines.map((settings) =>
      this.#alone(settings, async (): Promise<readonly Mended[]> => {
        const state = await readState(this.#deps.directory, settings.name);
        if (state !== null && state.state !== 'out') return [];
        const { name } = settings;
        return this.#clean(settings).then(
          () => [{ name }],
          (error: Error) => [{ name, why: error.message }],
        );
      }),
    );
    return (await Promise.all(tried)).flat();
  }

  async #lentTo(build: string): Promise<readonly GivenSettings[]> {
    const mine = await Promise.all(this.#deps.machines.map((settings) => this.has(build, settings)));
    return this.#deps.machines.filter((_, index) => mine[index]);
  }

  /** @returns null when somebody has it */
  async #take(settings: GivenSettings, { request, node }: Claim): Promise<ClaimedMachine | null> {
    const { directory, installation } = this.#deps;
    const { name } = settings;
    const state = await readState(directory, name);
    if (state?.state === 'lent') return null;
    if (state?.state !== 'clean') await this.#clean(settings);
    const remote = await this.#answering(settings);
    const { build, holder } = request;
    const whose = { build, node, installation, ...(holder === undefined ? {} : { holder }) };
    await this.#write(name, { state: 'lent', since: Date.now(), ...whose });
    return { settings, remote };
  }

  async #answering(settings: GivenSettings): Promise<GivenRemote> {
    try {
      return await reach(this.#line(settings), settings);
    } catch (error) {
      throw await this.#takeOut(settings, error as Error);
    }
  }

  /** @throws OutOfService; it is, then */
  async #clean(settings: GivenSettings): Promise<void> {
    try {
      await cleanMachine(this.#line(settings), settings);
    } catch (error) {
      throw await this.#takeOut(settings, error as Error);
    }
    await this.#write(settings.name, { state: 'clean', since: Date.now() });
  }

  async #takeOut({ name }: GivenSettings, { message }: Error): Promise<OutOfService> {
    const known = await readState(this.#deps.directory, name);
    const since = known?.state === 'out' ? known.since : Date.now();
    await this.#write(name, { state: 'out', since, why: message });
    return new OutOfService(name, message);
  }

  #write(name: string, state: GivenState): Promise<void> {
    return writeState(this.#deps.directory, name, state);
  }

  #line(settings: GivenSettings): Line {
    const known = this.#lines.get(settings.name);
    if (known !== undefined) return known;
    const line = openTargetLine(settings, `the machine ${settings.name}`);
    this.#lines.set(settings.name, line);
    return line;
  }

  /** One thing after the other for each machine. */
  #alone<T>({ name }: GivenSettings, work: () => Promise<T>): Promise<T> {
    const key = `${this.#deps.directory}/${name}`;
    const mine = (inHand.get(key) ?? Promise.resolve()).then(work, work);
    inHand.set(
      key,
      mine.catch(() => {}),
    );
    return mine;
  }
}
