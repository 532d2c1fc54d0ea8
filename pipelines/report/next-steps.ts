import type { ChangeKnown } from './change-known.ts';

type Subject = Pick<ChangeKnown, 'change' | 'history'>;

/** How to say that a change is ready. */
export function readyAdvice({ change, history }: Subject): string {
  if (history.elsewhere !== undefined) return `Say at ${history.elsewhere} that it is ready.`;
  return `\`git push origin HEAD:refs/for/${change.branch}%ready\` says that it is ready.`;
}

/** How a change that was mended becomes a new patch set; the part of a sentence. */
export function pushAgain(subject: Subject): string {
  return isElsewhere(subject) ? 'push it again' : `\`git commit --amend\` and ${pushForReview(subject)}`;
}

/** How to rebase a change that does not merge. */
export function rebaseAdvice(subject: Subject): string {
  const push = isElsewhere(subject) ? 'push it again' : pushForReview(subject);
  return `Rebase it: \`git pull --rebase origin ${subject.change.branch}\`, solve the conflict, ${push}.`;
}

function pushForReview({ change }: Subject): string {
  return `\`git push origin HEAD:refs/for/${change.branch}\``;
}

export function openAgain({ change, history }: Subject): string {
  if (history.elsewhere !== undefined) return `It can be opened again at ${history.elsewhere}.`;
  if (history.notesOn !== undefined) return 'Pushing its branch again opens it again.';
  return `\`sluice restore ${change.id}\` opens it again.`;
}

export function voteFor({ change, history }: Subject): string {
  if (history.elsewhere !== undefined) return `Vote for it at ${history.elsewhere}.`;
  if (history.notesOn !== undefined) return `${noteOn(history.notesOn, 'Approved: +1')} votes for it.`;
  return `\`sluice approve ${change.id}\` votes for it.`;
}

/** How to let a pipeline look at the change again. */
export function retry({ change, history }: Subject, pipeline: string): string {
  if (history.elsewhere !== undefined) return `A comment \`recheck\` at ${history.elsewhere} runs it again.`;
  if (pipeline !== 'check') return `\`sluice enqueue --pipeline ${pipeline} --change ${change.id}\` tries it again.`;
  if (history.notesOn !== undefined) return `${noteOn(history.notesOn, 'recheck')} runs it again.`;
  return `\`sluice recheck ${change.id}\` runs it again.`;
}

/** How people say something of a change of plain Git. */
export function noteOn(commit: string, text: string): string {
  const said = /\W/.test(text) ? `'${text}'` : text;
  return `\`git notes --ref=votes/NAME append -m ${said} ${commit}\`, with \`git push origin refs/notes/votes/NAME\`,`;
}

function isElsewhere({ history }: Subject): boolean {
  return history.elsewhere !== undefined || history.notesOn !== undefined;
}
