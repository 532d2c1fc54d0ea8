/** An open build set, and the gate that should wait for it. */
export interface OpenBuildSet {
  readonly workflow: string;
  readonly gate: string;
}

/** What a gate shows of itself: its items; or that it has ended; or nothing, as it does not answer. */
export type Shown = readonly { readonly workflow: string | null }[] | 'ended' | 'silent';

/** The build sets that nobody waits for any more. A gate that cannot be asked keeps all of its own. */
export function strayBuildSets(open: readonly OpenBuildSet[], gates: ReadonlyMap<string, Shown>): readonly string[] {
  return open.filter(({ workflow, gate }) => isStray(workflow, gates.get(gate) ?? 'silent')).map((one) => one.workflow);
}

function isStray(workflow: string, gate: Shown): boolean {
  if (gate === 'silent') return false;
  return gate === 'ended' || !gate.some((item) => item.workflow === workflow);
}
