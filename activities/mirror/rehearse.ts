import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrozenSource } from './freeze.ts';
import { type MirrorHost, openHost } from './host.ts';
import { planPool } from './pool.ts';
import type { Session } from './session.ts';
import { sendSnapshot } from './snapshot.ts';
import { knownOn } from './stage.ts';
import type { SetState } from './state.ts';
import { withTemporary } from './temporary.ts';
import type { Transferred } from './transport.ts';

interface Rehearsed {
  readonly snapshot: string;
  readonly frozen: FrozenSource;
}

/** Finds out what a host would be sent, and changes nothing. */
export async function rehearseOn(session: Session, state: SetState, { snapshot, frozen }: Rehearsed): Promise<void> {
  const { host } = session;
  const { tree, manifest } = frozen;
  session.phase = 'stage';
  if (session.view?.entries.length === 0) {
    session.transferred = await sendNowhere(host, tree, snapshot);
    return;
  }
  const { names } = await knownOn(session, state, manifest);
  const sending = { snapshot, bases: names, apart: manifest.shared, dryRun: true };
  const sent = await sendSnapshot(host, tree, sending);
  const lacking = (await planPool(session, state, frozen))?.lacking ?? [];
  const bytes = lacking.reduce((sum, path) => sum + (manifest.files[path]?.size ?? 0), sent.bytes);
  session.transferred = { ...sent, bytes, files: sent.files + lacking.length };
}

/** What a host would get that has nothing yet, not even the directory of snapshots. */
function sendNowhere({ set, name }: MirrorHost, tree: string, snapshot: string): Promise<Transferred> {
  return withTemporary(async (url) => {
    await mkdir(join(url, set.snapshots), { recursive: true });
    const nowhere = openHost({ ...set, hosts: { [name]: { url } } }, name);
    return sendSnapshot(nowhere, tree, { snapshot, bases: [], dryRun: true });
  });
}
