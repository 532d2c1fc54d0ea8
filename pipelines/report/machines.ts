import { bounded } from '../model/words.ts';

/** What is said of a failed job whose machines are kept. @param until milliseconds since the epoch */
export function keptRemark(
  build: string,
  {
    nodes,
    until,
    steps = [],
  }: { readonly nodes: readonly string[]; readonly until: number; readonly steps?: readonly number[] },
): string {
  const day = new Date(until).toISOString().slice(0, 10);
  const what = nodes.length === 1 ? 'The machine is' : `The machines ${nodes.join(', ')} are`;
  const more = steps.length === 0 ? '' : `; as after step ${steps.join(', ')}: --step N`;
  return `${what} kept as at the failure until ${day}: sluice vm debug ${build}${more}`;
}

/** What is said of a step after which machines should have been saved. */
export function stepNotKept(number: number, reason: string): string {
  return `The machines are not saved after step ${number}: ${reason}`;
}

export function notKept(reason: string): string {
  return `The machines are not kept: ${reason}`;
}

/** What is said of a platform whose last preparation has failed. */
export function unpreparedWords(platform: string, reason: string): string {
  const line = bounded(reason.replace(/\s*\n\s*/g, '; '));
  return `The machines of ${platform} were not prepared: ${line}. Jobs go on with those of before; see sluice vm list.`;
}

/** What is said of a failed job whose nodes are held. */
export function heldRemark(
  build: string,
  { nodes, until }: { readonly nodes: readonly { readonly name: string }[]; readonly until: number | null },
): string {
  const names = nodes.map(({ name }) => name).join(', ');
  const what = nodes.length === 1 ? 'The node is' : `The nodes ${names} are`;
  const end = until === null ? 'until the hold is deleted' : `until ${new Date(until).toISOString().slice(0, 16)}Z`;
  return `${what} held as at the failure ${end}: sluice hold list, build ${build}`;
}

export function notHeld(reason: string): string {
  return `The nodes are not held: ${reason}`;
}

/** What a record of a node ends with that took too long. */
export function cutInTime(seconds: number): string {
  return `(not all of it: it was not done in ${seconds} s)`;
}

/** What a record of a node ends with that is larger than what is kept. */
export const cutAtStart = '(not all of it: this is the last MiB)';
