import type { Vote } from '../model/change.ts';

/** What people vote on at hosts that know no labels of their own. */
export const approval = 'Approved';

/**
 * Who holds up the merge at a host that has no rule of its own for it, plain Git and Sluice's: whoever votes below zero,
 * whatever others vote. Each is a phrase.
 *
 * @param agreed the label that stands for approval at the connection, beside which the usual one goes on counting here
 */
export function vetoes(votes: readonly Pick<Vote, 'label' | 'value' | 'by'>[], agreed = approval): readonly string[] {
  const against = votes.filter(({ label, value }) => (label === approval || label === agreed) && value < 0);
  return against.map(({ by, label, value }) => `${by} voted ${label} ${value}`);
}
