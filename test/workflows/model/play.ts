import type { GateAnswer } from '../../../pipelines/gate/command.ts';
import type { Activity } from './attempt.ts';
import type { Choices } from './choices.ts';
import type { Run } from './run.ts';
import { type Step, Temporal } from './temporal.ts';

/** Steps and timers after which a story that does not end is given up. */
const mostSteps = 3_000;
const mostTimers = 120;

/** Something that people asked for, or that went wrong. */
export interface Deed {
  /** `enqueue`, `dequeue`, …; of a fault what was done to which kind of workflow: `terminate gate`. */
  readonly kind: string;
  /** What it was done to: a change's id, say; empty for faults. */
  readonly subject: string;
  readonly job?: string;
  readonly time: number;
  answer?: GateAnswer;
}

/** What a scene stands on. */
export interface Ground {
  readonly temporal: Temporal;
  readonly choices: Choices;
  /** Notes what somebody did. */
  readonly did: (kind: string, subject?: string, more?: Partial<Deed>) => Deed;
  readonly note: (line: string) => void;
}

/** An outside of the workflows, with people in it. */
export interface Scene {
  readonly activity: (type: string) => Activity;
  /** All that somebody may do now. */
  steps(): Step[];
  /** What is done every few minutes. */
  tidy(): void;
}

/** One story: what people do, and what goes wrong, as the choices have it. */
export class Play<S extends Scene> {
  readonly temporal: Temporal;
  readonly scene: S;
  readonly deeds: Deed[] = [];
  readonly log: string[] = [];
  /** How many runs there were when all had come to rest by itself. */
  rested: number | undefined;
  readonly #choices: Choices;
  readonly #spared: RegExp;
  #deedsLeft: number;
  #faultsLeft: number;

  /** @param spared labels of the deeds and faults that are not to happen */
  constructor(choices: Choices, make: (ground: Ground) => S, spared = /^$/) {
    this.#choices = choices;
    this.#spared = spared;
    this.#deedsLeft = 3 + (choices.next() % 8);
    this.#faultsLeft = choices.next() % 5;
    const ways = {
      resetEndsChild: choices.of([false, true]),
      resetClosesChildren: choices.of([false, true]),
      suggestAfter: choices.of([100_000, 100_000, 60]),
    };
    this.temporal = new Temporal(ways, (type) => this.scene.activity(type));
    const { temporal } = this;
    const note = (line: string) => void this.log.push(line);
    this.scene = make({ temporal, choices, note, did: (...deed) => this.#did(...deed) });
  }

  get runs(): readonly Run[] {
    return this.temporal.server.runs;
  }

  /** Goes on while there are choices, then lets everything come to rest. */
  async run(): Promise<void> {
    while (!this.#choices.over) await this.#next();
    await this.settle();
  }

  /** Lets things go their usual way until a step of that name is possible, whoever's it is, and takes it. */
  async go(label: RegExp): Promise<void> {
    for (let steps = 0; steps < mostSteps; steps += 1) {
      const usual = this.temporal.steps();
      const late = this.temporal.late();
      const found = [...usual, ...(late ? [late] : []), ...this.scene.steps()].find((step) => label.test(step.label));
      if (found) return this.#take(found);
      const fault = this.#faults()
        .flat()
        .find((step) => label.test(step.label));
      if (fault) return this.#suffer(fault);
      const next = usual[0] ?? this.temporal.timer() ?? late;
      if (!next) break;
      await this.#take(next);
    }
    throw new Error(`${label} never comes`);
  }

  /** Goes on until nothing happens any more, however often one tidies up. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      this.log.push('comes to rest');
      await this.#rest();
      this.rested ??= this.runs.length;
      this.scene.tidy();
    }
    await this.#rest();
  }

  #did(kind: string, subject = '', more: Partial<Deed> = {}): Deed {
    const deed: Deed = { kind, subject, time: this.temporal.server.now, ...more };
    this.deeds.push(deed);
    return deed;
  }

  async #next(): Promise<void> {
    const number = this.#choices.next();
    const [kind, which] = [number % 100, Math.floor(number / 100)];
    const usual = this.temporal.steps();
    const timer = kind >= 98 || usual.length === 0 ? this.temporal.timer() : undefined;
    if (kind >= 98 && timer) return this.#take(timer);
    if (kind >= 94 && this.#faultsLeft > 0) {
      const kinds = this.#faults();
      const fault = this.#pick(kinds[which % kinds.length] ?? [], Math.floor(which / kinds.length));
      if (fault) return this.#suffer(fault);
    }
    if ((kind >= 86 || usual.length === 0) && this.#deedsLeft > 0) {
      const deed = this.#pick(this.scene.steps(), which);
      if (deed) return this.#act(deed);
    }
    const late = this.temporal.late();
    const step = usual[which % usual.length] ?? (which % 2 === 0 ? (late ?? timer) : (timer ?? late));
    if (step) await this.#take(step);
  }

  /** What can go wrong with each workflow, and with the mail. */
  #faults(): readonly (readonly Step[])[] {
    const concerned = this.runs.filter(({ identity }) => identity.workflowType !== 'sweep');
    const all = concerned.map((run) => this.temporal.faults(run));
    const mail = [this.temporal.repetitions(), this.temporal.delays()];
    // What befalls messages is as likely as what befalls all workflows together.
    const often = Math.max(1, Math.ceil(all.length / mail.length));
    const kinds = [...all, ...mail.flatMap((steps) => Array.from({ length: often }, () => steps))];
    return kinds.filter((steps) => steps.length > 0);
  }

  #pick(all: readonly Step[], which: number): Step | undefined {
    const steps = all.filter(({ label }) => !this.#spared.test(label));
    return steps[which % steps.length];
  }

  async #take(step: Step): Promise<void> {
    const { now } = Date;
    this.log.push(step.label);
    Date.now = () => this.temporal.server.now;
    try {
      await this.temporal.take(step);
    } finally {
      Date.now = now;
    }
  }

  async #suffer(fault: Step): Promise<void> {
    this.#faultsLeft -= 1;
    const words = fault.label.split(' ');
    this.#did(`${words[0]} ${words.at(-1)?.split('/')[0]}`);
    await this.#take({ ...fault, label: `FAULT ${fault.label}` });
  }

  async #act(deed: Step): Promise<void> {
    this.#deedsLeft -= 1;
    await this.#take({ ...deed, label: `PEOPLE ${deed.label}` });
  }

  async #rest(): Promise<void> {
    let timers = 0;
    for (let steps = 0; steps < mostSteps; steps += 1) {
      const [step] = this.temporal.steps();
      const next = step ?? this.temporal.late() ?? this.temporal.timer();
      if (!next) return;
      if (next.label.startsWith('timer')) timers += 1;
      if (timers > mostTimers) return;
      await this.#take(next);
    }
    throw new Error('it never comes to rest');
  }
}
