import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Git } from '../../activities/git/port.ts';
import { createLayouts, type GatedProject } from '../../activities/layout/layouts.ts';
import type { Connection } from '../../activities/review/connection.ts';
import type { Delivery } from '../../activities/review/port.ts';
import { handle } from '../../pipelines/gate/handle.ts';
import { pending } from '../../pipelines/gate/pending.ts';
import { type GateState, initialGate } from '../../pipelines/gate/state.ts';
import { EventRouter } from '../../server/events/router.ts';
import type { GateMessage } from '../../workflows/contract.ts';
import type { GateName } from '../../workflows/ids.ts';
import { prepareItem } from '../activities/review/cycle.ts';

/** From what a host posts to the merge, through all that stands between but Temporal: the gates' decisions are made here. */

export interface Forge {
  readonly connection: Connection;
  readonly git: Git;
  readonly driver: string;
  readonly project: string;
  /** Opens a change, and answers with its id and what is posted of it. */
  open(): Promise<readonly [id: string, posted: Delivery]>;
  /** What is posted of a label that is called as an approval is, of an approval, and of the merge. */
  label(): Promise<Delivery>;
  approve(): Promise<Delivery>;
  merged(): Promise<Delivery>;
  /** Sees to it that the host wants more for a merge, and to what it wants: nobody is told of that. */
  want(): Promise<void>;
  give(): Promise<void>;
  /** What is posted of something that is no wish to have the change merged, and of a comment `recheck`. */
  byTheWay(): Promise<Delivery>;
  recheck(): Promise<Delivery>;
}

/** Gates that decide as production's do, and do nothing. */
function createGates() {
  const states = new Map<string, GateState>();
  const take = ({ pipeline: name }: GateName, { pipeline, limits, commands }: GateMessage, starts: boolean) => {
    let state = states.get(name);
    if (state === undefined && !starts) return;
    if (state === undefined && pipeline !== undefined)
      state = handle(initialGate(), {
        type: 'configure',
        time: 0,
        pipelines: [pipeline],
        ...(limits && { limits }),
      }).state;
    for (const command of commands) state = handle(state ?? initialGate(), command).state;
    if (state !== undefined) states.set(name, state);
  };
  return {
    tell: async (gate: GateName, message: GateMessage) => take(gate, message, true),
    inform: async (gate: GateName, message: GateMessage) => take(gate, message, false),
    ask: async () => ({ ok: true }) as const,
    /** Nothing is in them any more, as after a failure. */
    empty: () => states.clear(),
    /** Pipelines that want something done for a change. */
    busyWith: (key: string) =>
      [...states]
        .flatMap(([name, state]) => (JSON.stringify(pending(state)).includes(`"${key}"`) ? [name] : []))
        .sort(),
  };
}

interface Around {
  readonly gates: ReturnType<typeof createGates>;
  /** What the ledger knows. */
  readonly known: Set<string>;
}

function createRouter({ connection, git, driver, project }: Forge, { gates, known }: Around): EventRouter {
  const name = connection.host.connection;
  const gated: GatedProject[] = [{ name: project, connection: name, trusted: false, templates: [] }];
  const settings = { driver, url: 'https://h', token: { env: 'T' } };
  const layouts = createLayouts({
    ...{ tenant: 'main', projects: () => gated, git, connections: { [name]: driver } },
    reviews: { [name]: settings } as never,
  });
  return new EventRouter({
    ...{ tenant: 'main', layouts, hosts: [connection.host], gates, held: async () => [] },
    connections: [{ name, driver, served: false }],
    fetch: (of) => git.ensure(of, []),
    ledger: { wasTold: async (key) => known.has(key), markTold: async (key) => void known.add(key) },
    blobs: { put: async () => ({ digest: 'sha256:0', size: 1 }) } as never,
  });
}

/** What a project says of its jobs, in `.zuul.yaml`. */
export const forgeConfig = `
- job: {name: unit, run: unit.sh}
- project: {check: {jobs: [unit]}, gate: {jobs: [unit]}, post: {jobs: [unit]}}
`;

async function setUp(forge: Forge) {
  await forge.git.ensure(forge.project, []);
  const around = { gates: createGates(), known: new Set<string>() };
  const router = createRouter(forge, around);
  const { host, webhook } = forge.connection;
  const deliver = async (delivery: Delivery) => {
    assert.equal(await webhook?.isSigned(delivery), true);
    const reading = webhook?.read(delivery.headers, JSON.parse(Buffer.from(delivery.body).toString()));
    if (reading?.kind !== 'occurrence') assert.fail(JSON.stringify(reading));
    await router.hear(host.connection, reading.occurrence);
  };
  /** Looks as a server does that was down meanwhile. */
  const sync = () => createRouter(forge, around).lookAtAll(host.connection);
  return { gates: around.gates, deliver, sync };
}

/** @param open makes the host's project, whose `master` has `forgeConfig` */
export function testForge(name: string, open: (t: TestContext) => Promise<Forge>): void {
  test(`${name}: what is posted is checked, gated once it is approved, merged and released`, async (t) => {
    const forge = await open(t);
    const { connection, git } = forge;
    const { gates, deliver } = await setUp(forge);
    const [id, opened] = await forge.open();
    await deliver(opened);
    assert.deepEqual(gates.busyWith(`${id},1`), ['check']);
    await deliver(await forge.label());
    assert.deepEqual(gates.busyWith(`${id},1`), ['check'], 'a label is no approval');
    await deliver(await forge.approve());
    assert.deepEqual(gates.busyWith(`${id},1`), ['check', 'gate']);
    const item = await prepareItem([{ host: connection.host, git, changes: [id] }]);
    assert.deepEqual(await item.submit(), { merged: [`${id},1`] });
    assert.equal((await connection.host.readChange(id))?.status, 'merged');
    await deliver(await forge.merged());
    assert.ok(gates.busyWith(`${id},1`).includes('post'));
  });

  test(`${name}: what was the last that was missing is found though nobody told of it, and starts the gate once`, async (t) => {
    const forge = await open(t);
    const { gates, deliver, sync } = await setUp(forge);
    await forge.want();
    const [id, opened] = await forge.open();
    await deliver(opened);
    await deliver(await forge.approve());
    await sync();
    assert.deepEqual(gates.busyWith(`${id},1`), ['check'], 'the host wants more');
    await forge.give();
    await sync();
    assert.deepEqual(gates.busyWith(`${id},1`), ['check', 'gate']);
    gates.empty();
    await sync();
    await deliver(await forge.byTheWay());
    assert.deepEqual(gates.busyWith(`${id},1`), [], 'it has had its turn');
    await deliver(await forge.recheck());
    assert.deepEqual(gates.busyWith(`${id},1`), ['check', 'gate']);
  });
}
