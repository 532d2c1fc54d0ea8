import { heldRemark, notHeld } from '../../pipelines/report/machines.ts';
import type { HeldStage, HoldGrant, StageResult } from '../../workflows/contract.ts';
import type { BuildLog } from '../ports.ts';
import type { Lease, Provider } from './port.ts';

/** Verdicts after which Zuul holds nodes, as far as one attempt can have them. */
const failures = new Set<StageResult['result']>(['FAILURE', 'POST_FAILURE', 'TIMED_OUT']);

/** Who knows whether somebody wants to look at the nodes of a failed build. */
export interface Holding {
  claim(): Promise<HoldGrant | null>;
  /** The nodes cannot be held: nothing is counted. */
  giveBack(): Promise<void>;
  /** Takes secrets out of them first. */
  scrub(): Promise<void>;
}

interface Failing {
  readonly build: string;
  readonly lease: Lease;
  readonly log: BuildLog;
  /** This machine, and the task queue of its worker. */
  readonly host: string;
  readonly queue: string;
}

/**
 * Works with what is lent, and leaves the nodes of a failed job as they are where somebody has asked for that; the
 * verdict stands whatever becomes of it.
 */
export async function holdFailed(
  { provider, holding }: { readonly provider: Pick<Provider, 'hold'>; readonly holding: Holding },
  failing: Failing,
  work: (lease: Lease) => Promise<StageResult>,
): Promise<StageResult> {
  const result = await work(failing.lease);
  if (provider.hold === undefined || !failures.has(result.result)) return result;
  const { log, build } = failing;
  let grant: HoldGrant | null = null;
  try {
    grant = await holding.claim();
    if (grant === null) return result;
    await holding.scrub();
    const nodes = await provider.hold(failing.lease);
    if (nodes.length === 0) throw new Error('it had none when it ended');
    const held = heldStage(failing, { grant, nodes });
    const remark = heldRemark(build, held.held);
    log.section(remark);
    return { ...result, held, remarks: [...(result.remarks ?? []), remark] };
  } catch (error) {
    log.section(notHeld(error instanceof Error ? error.message : String(error)));
    if (grant !== null) await holding.giveBack().catch((fault) => log.write(`${fault}\n`));
    return result;
  }
}

interface Granted {
  readonly grant: HoldGrant;
  readonly nodes: HeldStage['held']['nodes'];
}

function heldStage({ build, host, queue }: Failing, { grant, nodes }: Granted): HeldStage {
  const time = Date.now();
  const until = grant.seconds === null ? null : time + grant.seconds * 1000;
  return { hold: grant.id, queue, held: { build, host, nodes, time, until } };
}
