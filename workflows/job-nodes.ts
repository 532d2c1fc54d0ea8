import { CancellationScope, condition, isCancellation, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import { freely } from '../pipelines/jobs/pending.ts';
import type { NodesReply, NodesRequest } from '../pipelines/nodes/desk.ts';
import { readyIdsIn } from '../pipelines/nodes/ready.ts';
import { nodesReason, nodesRefusal } from '../pipelines/nodes/reason.ts';
import { control, local } from './activities.ts';
import { type JobInput, type JobStart, type StageResult, taskQueues } from './contract.ts';
import { gateId, itemNumber, rebuildId } from './ids.ts';
import { hear, messages } from './input.ts';
import { handOnNodes } from './job-held.ts';
import { recordBegun, recordWaiting, tellWaiting } from './job-waiting.ts';
import { nodesAnsweredSignal, nodesClaimQuery } from './messages.ts';
import type { HeldNodes, NodesClaim, NodesNeed } from './nodes-contract.ts';

/** How long a job waits for a word before it asks again: the entity may have been ended and started anew. */
const patience = '10m';

/** When a job could run, in milliseconds since the epoch, and what it was lent. */
interface Ready {
  readonly startTime: number;
  readonly nodes?: HeldNodes;
}

interface Lent {
  readonly input: JobInput;
  readonly start: JobStart;
  readonly startTime: number;
}

type Work = (ready: Ready) => Promise<StageResult>;

/**
 * Does a job's work while it holds all of its machines, and gives them back however that ends. A job whose provider
 * has no limits holds nothing. Those of two providers are asked for one after the other, always in the same order.
 */
export async function withNodes(job: Lent, work: Work): Promise<StageResult> {
  const { nodes } = job.start;
  if (nodes === undefined) {
    const result = await work({ startTime: job.startTime });
    await handOnNodes(job.input, result, null);
    return result;
  }
  const { besides } = nodes;
  if (besides === undefined) return withNeed(job, { need: nodes }, work);
  return withNeed(job, { need: nodes }, ({ startTime, nodes: first }, beside) =>
    withNeed({ ...job, startTime }, { need: besides, beside }, ({ startTime: there, nodes: second }) =>
      work({ startTime: there, nodes: { ...first, besides: second } }),
    ),
  );
}

interface Need {
  readonly need: NodesNeed;
  /** What the job says of the provider that it has asked before. */
  readonly beside?: () => NodesClaim | null;
}

type NeedWork = (ready: Required<Ready>, claim: () => NodesClaim | null) => Promise<StageResult>;

async function withNeed(job: Lent, { need, beside = () => null }: Need, work: NeedWork): Promise<StageResult> {
  const { input, start, startTime } = job;
  const { provider } = need;
  const request = requestOf(job, need);
  let claim: NodesClaim | null = { provider, request, fence: null };
  const claims = () => {
    const other = beside();
    return claim === null || other === null ? (claim ?? other) : { ...claim, beside: other };
  };
  setHandler(nodesClaimQuery, claims);
  const granted = (grant: Grant) => {
    // Who removes the machines is where they are.
    const queue = grant.host === undefined ? {} : { queue: taskQueues.host(grant.host) };
    claim = { provider, request: { ...request, ...queue }, ...grant };
  };
  // Whether the machines are removed is known of a stage that has answered, or was cancelled and has ended since.
  let removed = true;
  let stoodReady = false;
  let handedOn = false;
  try {
    const { reply, time } = await take({ input, start, startTime, provider, request, granted });
    if (reply.state !== 'granted') return refused(provider, reply);
    removed = false;
    stoodReady = readyIdsIn(reply.machines).length > 0;
    const nodes = { provider, token: request.token, ...grantIn(reply) };
    const result = await work({ startTime: time, nodes }, claims);
    handedOn = await handOnNodes(input, result, claim);
    removed = result.held === undefined && result.left === undefined;
    return result;
  } catch (error) {
    // What stood ready is there also where the stage has not begun.
    removed ||= isCancellation(error) && !stoodReady;
    throw error;
  } finally {
    const { token } = request;
    if (!handedOn) await CancellationScope.nonCancellable(() => local.returnNodes({ provider, token, removed }));
    claim = null;
  }
}

function requestOf({ input, start }: Lent, { sizes, on }: NodesNeed): NodesRequest {
  const { priority = freely.priority } = input;
  const build = input.job.uses === 'release' ? rebuildId(start.build) : start.build;
  return {
    ...{ holder: workflowInfo().workflowId, token: uuid4(), sizes, priority, build, queue: start.queue },
    ...placeOf(input, start),
    ...(on === undefined ? {} : { on }),
  };
}

/** Where the change stands among those that relative priority counts. A run of its own is nobody's place. */
function placeOf({ tenant, pipeline, queue, buildSet }: JobInput, { alone }: JobStart): Pick<NodesRequest, 'place'> {
  if (queue === undefined || alone) return {};
  return { place: { queue: gateId({ tenant, pipeline, queue }), item: itemNumber(buildSet) } };
}

interface Taking {
  readonly input: JobInput;
  readonly start: JobStart;
  readonly startTime: number;
  readonly provider: string;
  readonly request: NodesRequest;
  /** Notes that they are held. */
  readonly granted: (grant: Grant) => void;
}

/** By what a job holds its machines, and which ones. */
type Grant = Pick<HeldNodes, 'fence' | 'machines' | 'host'>;

function grantIn({ state: _, ...grant }: Extract<NodesReply, { readonly state: 'granted' }>): Grant {
  return grant;
}

/** @returns what became of the request, and when */
async function take(taking: Taking): Promise<{ readonly reply: NodesReply; readonly time: number }> {
  const { input, start, provider, request, granted } = taking;
  const said: { word: NodesReply } = { word: { state: 'waits' } };
  hear(nodesAnsweredSignal, messages.nodesWord, ({ token, reply }) => {
    // A word for an earlier run of the same workflow, which a reset repeats, is none for this one.
    if (token !== request.token) return;
    said.word = reply;
    if (reply.state === 'granted') granted(grantIn(reply));
  });
  let reply = await control.askNodes({ provider, request });
  if (reply.state === 'granted') granted(grantIn(reply));
  if (reply.state !== 'waits') return { reply, time: taking.startTime };
  const reason = nodesReason(provider);
  await recordWaiting(input, start, reason);
  await tellWaiting(input, start, [reason]);
  while (reply.state === 'waits') {
    const heard = await condition(() => said.word.state !== 'waits', patience);
    reply = heard ? said.word : await control.askNodes({ provider, request });
  }
  if (reply.state === 'granted') granted(grantIn(reply));
  const time = await recordBegun(input, start);
  // The work need not wait until this has arrived, and if it is cancelled it says so itself.
  void tellWaiting(input, start, []).catch(() => undefined);
  return { reply, time };
}

function refused(provider: string, reply: NodesReply): StageResult {
  const summary = nodesRefusal(provider, reply.state === 'refused' ? reply.reason : '');
  return { result: 'NODE_FAILURE', summary, artifacts: [] };
}
