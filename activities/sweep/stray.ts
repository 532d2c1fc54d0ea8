/** An open build set, and the gate that should wait for it. */
export interface OpenBuildSet {
  readonly workflow: string;
  readonly gate: string;
}

/**
 * What is known of a gate: it has ended; it is open, with the build sets that it waits for; or it did not answer, and
 * nothing can be said.
 */
export type GateStanding = 'ended' | 'silent' | { readonly waitsFor: ReadonlySet<string> };

/** The build sets that nobody waits for any more. A gate that cannot be asked keeps all of its own. */
export function strayBuildSets(
  open: readonly OpenBuildSet[],
  gates: ReadonlyMap<string, GateStanding>,
): readonly string[] {
  return open.filter(({ workflow, gate }) => isStray(workflow, gates.get(gate) ?? 'silent')).map((one) => one.workflow);
}

function isStray(workflow: string, gate: GateStanding): boolean {
  if (gate === 'silent') return false;
  return gate === 'ended' || !gate.waitsFor.has(workflow);
}
