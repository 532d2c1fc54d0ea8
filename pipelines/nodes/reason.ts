/** Why a job has not started, as `sluice status` and the page show it. */
export function nodesReason(provider: string): string {
  return `nodes: ${provider}`;
}

/** Why a job cannot be lent its nodes at all, in one line. */
export function nodesRefusal(provider: string, reason: string): string {
  return `${provider} cannot lend the nodes of this job: ${reason}`;
}
