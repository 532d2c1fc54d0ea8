import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sign } from '@octokit/webhooks-methods';
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
import { makeCommit, setBranch } from '../activities/git/repository.ts';
import { prepareItem } from '../activities/review/cycle.ts';
import { addReview, closePull, setLabel } from '../activities/review/github/server/pull-routes.ts';
import { nextId, tip } from '../activities/review/github/server/state.ts';
import * as github from '../activities/review/github/world.ts';
import * as lab from '../activities/review/gitlab/server/state.ts';
import * as gitlab from '../activities/review/gitlab/world.ts';

/** From what a host posts to the merge, through all that stands between but Temporal: the gates' decisions are made here. */

interface Forge {
  readonly connection: Connection;
  readonly git: Git;
  readonly driver: string;
  readonly project: string;
  readonly directory: string;
  /** Opens a change, and answers with its id and what is posted of it. */
  open(): Promise<readonly [id: string, posted: Delivery]>;
  /** What is posted of a label that is called as an approval is, of an approval, and of the merge. */
  label(): Promise<Delivery>;
  approve(): Promise<Delivery>;
  merged(): Promise<Delivery>;
}

const secretOf = { github: 'secret', gitlab: 'hook-secret' };

async function openGithub(t: TestContext): Promise<Forge> {
  const { world, alpha, connection, cache } = await github.openWorld(t);
  alpha.mayPush = true;
  let pull: Awaited<ReturnType<typeof github.propose>> | undefined;
  const post = async (event: string, content: object): Promise<Delivery> => {
    const number = pull?.number ?? 0;
    const told = {
      repository: { full_name: alpha.fullName },
      sender: { login: 'bob' },
      pull_request: { number },
      number,
    };
    const body = Buffer.from(JSON.stringify({ ...told, ...content }));
    const headers = { 'x-github-event': event, 'x-github-delivery': `${nextId()}` };
    return { headers: { ...headers, 'x-hub-signature-256': await sign(secretOf.github, body.toString()) }, body };
  };
  return {
    ...{ connection, git: cache, driver: 'github', project: alpha.fullName, directory: alpha.directory },
    async open() {
      pull = await github.propose(world, alpha, { files: { a: '1' } });
      return [github.idOf(alpha, pull), await post('pull_request', { action: 'opened' })];
    },
    async label() {
      if (pull) setLabel(world, pull, { name: 'review', by: 'ada', on: true });
      return post('pull_request', { action: 'labeled' });
    },
    async approve() {
      if (pull) addReview(world, pull, { user: 'bob', state: 'APPROVED' });
      return post('pull_request_review', { action: 'submitted' });
    },
    async merged() {
      if (pull?.state === 'open') closePull(world, pull, 'sluice', await tip(alpha, 'master'));
      return post('pull_request', { action: 'closed' });
    },
  };
}

async function openGitlab(t: TestContext): Promise<Forge> {
  const { world, alpha, connection, cache } = await gitlab.openWorld(t);
  let request: Awaited<ReturnType<typeof gitlab.propose>> | undefined;
  const post = (action: string): Delivery => {
    const project = { path_with_namespace: alpha.name };
    const content = { object_kind: 'merge_request', project, object_attributes: { iid: request?.iid, action } };
    const headers = { 'x-gitlab-event': 'Merge Request Hook', 'x-gitlab-token': secretOf.gitlab };
    return { headers, body: Buffer.from(JSON.stringify(content)) };
  };
  return {
    ...{ connection, git: cache, driver: 'gitlab', project: alpha.name, directory: alpha.directory },
    async open() {
      request = await gitlab.propose(world, alpha, { files: { a: '1' } });
      return [gitlab.idOf(alpha, request), post('open')];
    },
    async label() {
      if (request) lab.setLabel(world, request, { name: 'approved', by: 'ada', on: true });
      return post('update');
    },
    async approve() {
      if (request) lab.approve(world, request, 'bob');
      return post('approved');
    },
    merged: async () => post('merge'),
  };
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
    /** Pipelines that want something done for a change. */
    busyWith: (key: string) =>
      [...states]
        .flatMap(([name, state]) => (JSON.stringify(pending(state)).includes(`"${key}"`) ? [name] : []))
        .sort(),
  };
}

function createRouter({ connection, git, driver, project }: Forge, gates: ReturnType<typeof createGates>): EventRouter {
  const name = connection.host.connection;
  const gated: GatedProject[] = [{ name: project, connection: name, trusted: false, templates: [] }];
  const settings = { driver, url: 'https://h', token: { env: 'T' } };
  const layouts = createLayouts({
    ...{ tenant: 'main', projects: () => gated, git, connections: { [name]: driver } },
    reviews: { [name]: settings } as never,
  });
  const known = new Set<string>();
  return new EventRouter({
    ...{ tenant: 'main', layouts, hosts: [connection.host], gates, held: async () => [] },
    connections: [{ name, driver, served: false }],
    fetch: (of) => git.ensure(of, []),
    ledger: { wasTold: async (key) => known.has(key), markTold: async (key) => void known.add(key) },
    blobs: { put: async () => ({ digest: 'sha256:0', size: 1 }) } as never,
  });
}

const config = `
- job: {name: unit, run: unit.sh}
- project: {check: {jobs: [unit]}, gate: {jobs: [unit]}, post: {jobs: [unit]}}
`;

for (const [host, open] of [
  ['GitHub', openGithub],
  ['GitLab', openGitlab],
] as const) {
  test(`${host}: what is posted is checked, gated once it is approved, merged and released`, async (t) => {
    const forge = await open(t);
    const { connection, git, directory, project } = forge;
    const parents = [await tip({ directory }, 'master')];
    await setBranch(directory, 'master', await makeCommit(directory, { parents, files: { '.zuul.yaml': config } }));
    await git.ensure(project, []);
    const gates = createGates();
    const router = createRouter(forge, gates);
    const deliver = async (delivery: Delivery) => {
      assert.equal(await connection.webhook?.isSigned(delivery), true);
      const reading = connection.webhook?.read(delivery.headers, JSON.parse(Buffer.from(delivery.body).toString()));
      if (reading?.kind !== 'occurrence') assert.fail(JSON.stringify(reading));
      await router.hear(connection.host.connection, reading.occurrence);
    };
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
}
