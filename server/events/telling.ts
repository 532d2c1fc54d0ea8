import { randomUUID } from 'node:crypto';
import type { GateAnswer } from '../../pipelines/gate/command.ts';
import { brings, createReadiness, readyEvent } from './readiness.ts';
import { equipped, gateOf, type Happened, merges, observing, type Routed, route, takes, type View } from './route.ts';
import type { Looking, RouterDeps } from './router-deps.ts';
import { withoutTakenOut } from './taken-out.ts';

type TellingDeps = Pick<RouterDeps, 'gates' | 'ledger' | 'conflictOf' | 'hadBefore'>;

/** What gates are told of what happens, and how it gets there. */
export class Telling {
  readonly #deps: TellingDeps;
  readonly readiness;

  constructor(deps: TellingDeps) {
    this.#deps = deps;
    this.readiness = createReadiness(deps);
  }

  /** What the gates are to hear of an event. */
  async route(view: View, { id, event }: Pick<Happened, 'id' | 'event'>): Promise<readonly Routed[]> {
    const found = route(view, { id, event, time: Date.now() });
    const routed = await withoutTakenOut(this.#deps.ledger, { view, event, routed: found });
    const isMerging = ({ gate }: Routed) => merges(view, gate.pipeline);
    const toMerge = routed.some((one) => one.starts && isMerging(one));
    const isHeld = view.unready !== undefined || (toMerge && (await this.#deps.conflictOf?.(view)) !== undefined);
    return isHeld ? routed.filter((one) => !isMerging(one)) : routed;
  }

  /** Each gate hears what is for it in this order, and at once where it can. */
  async send(messages: readonly Routed[]): Promise<void> {
    const { gates } = this.#deps;
    await Promise.all(
      messages.map(({ gate, message, starts }) => (starts ? gates.tell(gate, message) : gates.inform(gate, message))),
    );
  }

  /** The same of what concerns a change; notes what comes in by it. @throws what its host cannot say yet, once all is sent */
  async sendOf(view: View, messages: readonly Routed[]): Promise<void> {
    await this.send(messages);
    if (view.unready !== undefined) throw view.unready;
    for (const { gate, starts } of messages) if (starts) await this.readiness.note(view, gate.pipeline);
  }

  /**
   * Sends what concerns a change, with the facts, and with what it has become ready for. Where a host cannot say yet what
   * merges must know, the facts wait, too: all is told again once it has, and gates take each thing once.
   *
   * @param id of the facts
   * @returns how many pipelines it was found to be ready for, besides those that the messages bring it into
   */
  async tell(
    view: View,
    messages: readonly Routed[],
    { id, mayTell }: Pick<Looking, 'mayTell'> & { readonly id: string },
  ): Promise<number> {
    const ready = await this.readiness.find(view);
    const missed = ready.filter((pipeline) => !brings(messages, pipeline));
    const found = (await Promise.all(missed.map((one) => this.route(view, readyEvent(view.change, one))))).flat();
    const all = [...messages, ...found];
    await mayTell?.();
    await this.sendOf(view, view.unready === undefined ? [...all, ...observing(view, id)] : all);
    return found.length;
  }

  /** Brings a change into a pipeline, whatever that waits for, and answers as its gate does. */
  async ask(pipeline: string, view: View): Promise<GateAnswer> {
    const { tenant, layout, change, around, unready } = view;
    if (unready !== undefined) throw unready;
    if (!takes(view, pipeline)) {
      return { ok: false, reason: `${change.project} does not use the pipeline ${pipeline}` };
    }
    const gate = gateOf(tenant, change, pipeline);
    const time = Date.now();
    const observe = { id: randomUUID(), commands: [{ type: 'observe', time, changes: around } as const] };
    await this.#deps.gates.tell(gate, equipped(layout, gate, observe));
    const command = { type: 'enqueue', time, pipeline, change: change.key } as const;
    const answer = await this.#deps.gates.ask(gate, { id: randomUUID(), commands: [command] });
    if (answer.ok) await this.readiness.note(view, pipeline);
    return answer;
  }
}
