/** Why a job that has all else has not begun: every place of the workers that could take it is taken. */
export const workerReason = 'a place on a worker';

/** Why a job has not started, as `sluice status` and the page show it. */
export function nodesReason(provider: string): string {
  return `nodes: ${provider}`;
}

/** Why a job cannot be lent its nodes at all, in one line. */
export function nodesRefusal(provider: string, reason: string): string {
  return `${provider} cannot lend the nodes of this job: ${reason}`;
}
