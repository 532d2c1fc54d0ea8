import { type MirrorResult, noChanges } from '../../pipelines/mirror/outcome.ts';
import type { Work } from './command.ts';
import type { Source } from './freeze.ts';
import { type MirrorHost, shows } from './host.ts';
import { isLeftLocked } from './lock.ts';
import { findDamage } from './mend.ts';
import { forgetOutlines, isAsNoted, noteOutlines } from './outline.ts';
import { plainResult } from './session.ts';
import { settleAll } from './settle.ts';
import { isNotedOf } from './state.ts';

/** Whether the set showed what the source is now when it was last in agreement, and nothing is left to be done. */
export async function isSettled(
  { set, state }: Pick<Work, 'set' | 'state'>,
  { digest }: Pick<Source, 'digest'>,
): Promise<boolean> {
  if ((await state.committed())?.digest !== digest) return false;
  const noted = [await state.undone(), await state.removing(), await state.damaged()];
  return !noted.some((one) => isNotedOf(set, one)) && (await state.transaction()) === null;
}

/**
 * What a sync comes to where every host still shows that, whole: found by looking, without a lock. Null where one does
 * not, or cannot be asked.
 */
export async function tellUnchanged(work: Omit<Work, 'lost'>, source: Source): Promise<MirrorResult | null> {
  const { set, state, sessions } = work;
  const snapshot = (await state.committed())?.snapshot;
  const showing = sessions.every(
    ({ host, view, error }) =>
      error === null && view !== null && snapshot !== undefined && shows(host.set, view, snapshot),
  );
  if (snapshot === undefined || !showing) return null;
  // What a killed command left locked is given back by who locks it again.
  const left = await settleAll(
    sessions.map(({ host, view }) => view !== null && isLeftLocked({ host, view }, state.holder).catch(() => true)),
  );
  if (left.includes(true)) return null;
  const silent: MirrorHost[] = [];
  const told = await settleAll(
    sessions.map(({ host }) => isAsNoted(host, state, snapshot).catch(() => void silent.push(host))),
  );
  await forgetOutlines(work, silent);
  const others = sessions.flatMap(({ host }, position) => (told[position] === true ? [] : [host]));
  const damage = await settleAll(
    others.map((host) => findDamage(host, state, snapshot).catch(() => 'it cannot be read')),
  );
  if (damage.some((one) => one !== null)) return null;
  const noted = sessions.flatMap(({ host }, position) => (told[position] === false ? [host] : []));
  await noteOutlines(work, snapshot, noted);
  const hosts = Object.fromEntries(sessions.map(({ host }) => [host.name, plainResult({ target: snapshot })]));
  return { set: set.name, snapshot, outcome: 'unchanged', hosts, packages: noChanges, ...saidOf(source) };
}

/** What a result says of the source. */
export function saidOf({ said, warnings }: Source): Pick<MirrorResult, 'checked' | 'notes'> {
  const notes = warnings.map((warning) => `warning: ${warning}`);
  return notes.length > 0 ? { checked: said, notes } : { checked: said };
}
