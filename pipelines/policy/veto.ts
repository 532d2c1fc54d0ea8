import type { Vote } from '../model/change.ts';

/** What people vote on at hosts that know no labels of their own. */
export const approval = 'Approved';

const labelPattern = /^[A-Z][A-Za-z0-9-]{0,39}$/;
const largestVote = 10;

/** What is wrong with a vote at a host that knows no labels of its own, plain Git and Sluice's; null where nothing is. */
export function voteFault(label: string, value: number): string | null {
  if (!labelPattern.test(label)) return `${JSON.stringify(label)} is no label: use one like ${approval}`;
  if (Number.isInteger(value) && Math.abs(value) <= largestVote) return null;
  return `a vote is a whole number from -${largestVote} to ${largestVote}, not ${value}`;
}

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
