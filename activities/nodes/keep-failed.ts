import { keptRemark, notKept } from '../../pipelines/report/machines.ts';
import type { StageResult } from '../../workflows/contract.ts';
import type { BuildLog } from '../ports.ts';
import type { KeptMachines, Lease, Provider } from './port.ts';

/** Verdicts after which somebody may want to look at the machines. */
const failures = new Set<StageResult['result']>(['FAILURE', 'TIMED_OUT']);

interface Failing {
  readonly build: string;
  readonly lease: Lease;
  readonly log: BuildLog;
}

/**
 * Works with what is lent, and has the machines of a job that has failed kept where they can be; the verdict stands
 * whatever becomes of that.
 */
export async function keepFailed(
  provider: Pick<Provider, 'keep'>,
  { build, lease, log }: Failing,
  work: (lease: Lease) => Promise<StageResult>,
): Promise<StageResult> {
  const result = await work(lease);
  // Whoever has them as they are needs no copy.
  if (!failures.has(result.result) || result.held !== undefined) return result;
  let kept: KeptMachines | null;
  try {
    kept = (await provider.keep?.(lease)) ?? null;
  } catch (error) {
    log.section(notKept(error instanceof Error ? error.message : String(error)));
    return result;
  }
  if (kept === null) return result;
  const remark = keptRemark(build, kept);
  log.section(remark);
  const { nodes, until } = kept;
  const url = `/api/machines/kept/${encodeURIComponent(build)}`;
  const artifact = { name: 'machines', url, metadata: { type: 'machines', nodes, until } };
  return {
    ...result,
    artifacts: [...result.artifacts, artifact],
    remarks: [...(result.remarks ?? []), remark],
  };
}
