import { createHash } from 'node:crypto';
import type { ProposedBranch } from '../../activities/layout/config-files.ts';
import type { ChangeFacts, GateCommand, GateLimits } from '../../pipelines/gate/command.ts';
import { type Layout, layoutPipelines } from '../../pipelines/language/language.ts';
import type { TriggerEvent } from '../../pipelines/model/change.ts';
import type { Pipeline } from '../../pipelines/model/pipeline.ts';
import { triggers } from '../../pipelines/policy/triggers.ts';
import type { GateMessage } from '../../workflows/contract.ts';
import { type GateName, gateId } from '../../workflows/ids.ts';
import { uses } from './closure.ts';

/** A change's facts with those around it, as read at one moment. */
export interface View {
  readonly tenant: string;
  readonly layout: Layout;
  readonly change: ChangeFacts;
  readonly around: readonly ChangeFacts[];
  /** Pipelines that its project does not use yet, but would with what the change proposes or stands on. */
  readonly joins: ReadonlySet<string>;
  /** What it proposes of configuration, and what it stands on. */
  readonly proposals: readonly ProposedBranch[];
  /** A host cannot say yet whether one of them could be merged: what merges is told later, the rest need not wait. */
  readonly unready?: Error;
}

/** Something that happened. */
export interface Happened {
  /** The same for the same thing, however often it is looked at. */
  readonly id: string;
  readonly event: TriggerEvent;
  /** When it is routed; milliseconds since the epoch. */
  readonly time: number;
}

export interface Routed {
  readonly gate: GateName;
  readonly message: GateMessage;
  /** Whether the gate is started when there is none; else only one that is there is told. */
  readonly starts: boolean;
}

/** Names an event by what it is: however a look that finds it began, gates take it once. */
export function eventId(change: string, event: TriggerEvent): string {
  return `${change}/${createHash('sha256').update(JSON.stringify(event)).digest('hex').slice(0, 32)}`;
}

/**
 * What the gates are told of something that happened to a change: it is enqueued in every pipeline that the event
 * triggers. Where its project does not use the pipeline it only joins what is there: a change ahead may bring its
 * project in.
 */
export function route(view: View, { id, event, time }: Happened): readonly Routed[] {
  const { tenant, layout, change, around } = view;
  return layoutPipelines(layout)
    .filter((pipeline) => triggers(pipeline, event, change))
    .map(({ name }) => {
      const gate = gateOf(tenant, change, name);
      const commands: GateCommand[] = [
        { type: 'observe', time, changes: around },
        { type: 'enqueue', time, pipeline: name, change: change.key, event },
      ];
      const starts = takes(view, name);
      const message = { id, commands };
      return { gate, starts, message: starts ? equipped(layout, gate, message) : message };
    });
}

/** Whether a pipeline works on the change by itself. */
export function takes({ change, joins }: View, pipeline: string): boolean {
  return uses(change, pipeline) || joins.has(pipeline);
}

/** Whether a pipeline merges what passes it. */
export function merges({ layout }: View, pipeline: string): boolean {
  return layoutPipelines(layout).some(({ name, manager }) => name === pipeline && manager === 'dependent');
}

/** A message with what a gate that is started by it must know of its pipeline, and of the others. */
export function equipped(layout: Layout, gate: GateName, message: Pick<GateMessage, 'id' | 'commands'>): GateMessage {
  const pipelines = layoutPipelines(layout);
  const pipeline = pipelines.find(({ name }) => name === gate.pipeline);
  return { ...message, ...(pipeline ? { pipeline } : {}), limits: limitsOf(pipelines) };
}

/** A project that does not use the pipeline has a gate of its own there, should it come to that. */
export function gateOf(tenant: string, change: ChangeFacts, pipeline: string): GateName {
  const place = uses(change, pipeline) ? change.placements[pipeline] : undefined;
  return { tenant, pipeline, queue: place?.queue ?? change.project };
}

/** Shows the facts to every gate that has to do with them. */
export function observing(view: View, id: string): readonly Routed[] {
  const commands = [{ type: 'observe', time: Date.now(), changes: view.around } as const];
  const message = { id: `${id}/observe`, commands };
  return concerned(view).map((gate) => ({ gate, message, starts: false }));
}

/** Every gate that may hold the change, or one that has to do with it. */
function concerned({ tenant, layout, around }: View): readonly GateName[] {
  const gates = new Map<string, GateName>();
  for (const fact of around) {
    for (const { name } of layoutPipelines(layout)) {
      const gate = gateOf(tenant, fact, name);
      gates.set(gateId(gate), gate);
    }
  }
  return [...gates.values()];
}

/** Gates tell each other only what some pipeline waits for. */
function limitsOf(pipelines: readonly Pipeline[]): GateLimits {
  const waited = (event: string) =>
    pipelines.some(({ triggers: rules }) => rules.some(({ body }) => body.event === event));
  return { fires: (['project-change-merged', 'parent-change-enqueued'] as const).filter(waited) };
}
