import type { Activity, Attempt } from './attempt.ts';
import { reset } from './reset.ts';
import type { Run } from './run.ts';
import { macrotask } from './sdk.ts';
import { Server, type Ways } from './server.ts';
import { Tasks } from './tasks.ts';

/** Something that can happen next. */
export interface Step {
  readonly label: string;
  readonly act: () => unknown;
}

/** A Temporal server and its workers, in this process: it knows every step that could come next; another chooses. */
export class Temporal {
  readonly server: Server;
  readonly tasks: Tasks;
  readonly #activities: (type: string) => Activity;
  #moments: { label: string; resume: () => void }[] = [];

  constructor(ways: Ways, activities: (type: string) => Activity) {
    this.server = new Server(ways);
    this.tasks = new Tasks(this.server);
    this.#activities = activities;
  }

  /** Takes a step, and lets everything come to rest. */
  async take({ act }: Step): Promise<void> {
    this.server.now += 10;
    await act();
    await macrotask();
  }

  /** Steps that need no fault. */
  steps(): Step[] {
    const steps = this.server.runs.flatMap((run) => (run.isOpen ? this.#stepsOf(run) : []));
    for (const mail of this.server.mail) steps.push({ label: mail.label, act: () => this.server.hand(mail) });
    for (const moment of this.#moments) steps.push({ label: moment.label, act: () => this.#resume(moment) });
    return steps;
  }

  #stepsOf(run: Run): Step[] {
    const { id, open } = run;
    const steps: Step[] = [];
    const isDue = !open && run.stuck === undefined && (run.inbox.length > 0 || run.locals.size > 0);
    if (isDue) steps.push({ label: `task ${id}`, act: () => this.tasks.begin(run) });
    if (open && run.locals.size === 0) steps.push({ label: `commit ${id}`, act: () => this.tasks.commit(run) });
    for (const local of open ? run.locals.values() : []) {
      steps.push(...this.#stepsOfAttempt(run, local, () => this.tasks.resolveLocal(run, local)));
    }
    for (const attempt of run.activities.values()) {
      steps.push(...this.#stepsOfAttempt(run, attempt, () => this.#resolve(run, attempt)));
    }
    return steps;
  }

  #stepsOfAttempt(run: Run, attempt: Attempt, end: Step['act']): Step[] {
    const label = `${attempt.type} of ${run.id}`;
    if (attempt.state === 'settled') return [{ label: `end of ${label}`, act: end }];
    if (attempt.state === 'running') return [];
    return [{ label, act: () => attempt.begin(this.#activities(attempt.type), this.#moment) }];
  }

  #resolve(run: Run, attempt: Attempt): void {
    if (attempt.isRetried) {
      attempt.lose();
      return;
    }
    run.activities.delete(attempt.seq);
    this.server.tell(run, attempt.resolution());
  }

  readonly #moment = (label: string): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#moments.push({ label, resume: resolve });
    return promise;
  };

  #resume(moment: { readonly resume: () => void }): void {
    this.#moments = this.#moments.filter((one) => one !== moment);
    moment.resume();
  }

  /** The next timer, if there is one. */
  timer(): Step | undefined {
    const open = this.server.runs.filter(({ isOpen }) => isOpen);
    const due = open.flatMap((run) => [...run.timers].map(([seq, time]) => ({ run, seq, time })));
    const [next] = due.toSorted((a, b) => a.time - b.time);
    if (!next) return undefined;
    const { run, seq, time } = next;
    const act = () => {
      this.server.now = Math.max(this.server.now, time);
      run.timers.delete(seq);
      this.server.tell(run, { fireTimer: { seq } });
    };
    return { label: `timer of ${run.id}`, act };
  }

  /** What can go wrong with a run. */
  faults(run: Run): Step[] {
    const { id } = run;
    const { server, tasks } = this;
    const steps: Step[] = [];
    const place = (label: string, act: Step['act']) => steps.push({ label: `${label} ${id}`, act });
    if (server.run(id) === run && run.status !== 'continued') {
      const again = (task: number) => reset({ server, tasks }, run, task);
      for (const task of run.history.keys()) place(`reset to task ${task} of`, () => again(task));
    }
    if (!run.isOpen) return steps;
    if (!run.open && run.inbox.length > 0 && run.stuck === undefined)
      place('slow task of', () => tasks.begin(run, true));
    if (run.open) place('lose the task of', () => tasks.lose(run));
    if (run.open && run.locals.size > 0 && run.inbox.length > 0) place('heartbeat of', () => tasks.heartbeat(run));
    if (run.instance && !run.open) place('forget the code of', () => run.forget());
    place('terminate', () => server.terminate(run));
    if (run.identity.workflowType === 'buildSet') place('cancel', () => server.requestCancel(run));
    for (const attempt of run.activities.values()) {
      if (attempt.state !== 'scheduled') place(`lose the attempt at ${attempt.type} of`, () => attempt.lose());
    }
    return steps;
  }

  /** What was held up, when nothing else happens. */
  late(): Step | undefined {
    const [mail] = this.server.held;
    return mail && { label: `late ${mail.label}`, act: () => this.server.hand(mail) };
  }

  /** Messages that can be held up. */
  delays(): Step[] {
    const messages = this.server.mail.filter(({ repeat }) => repeat !== undefined);
    return messages.map((mail) => ({ label: `delay ${mail.label}`, act: () => this.server.hold(mail) }));
  }

  /** Messages that can come once more. */
  repetitions(): Step[] {
    return this.server.unanswered.flatMap(({ label, repeat }) => {
      return repeat
        ? [{ label: `repeat ${label}`, act: () => this.server.post({ label: `${label}, again`, deliver: repeat }) }]
        : [];
    });
  }
}
