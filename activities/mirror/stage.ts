import {
  type Base,
  chooseBases,
  type Manifest,
  mistakable,
  mustBeSent,
  planCopy,
} from '../../pipelines/mirror/manifest.ts';
import { counted } from '../../pipelines/report/words.ts';
import { checkFrozen, type FrozenSource } from './freeze.ts';
import { differences, mendDifferences, sendReport, sendSnapshot, type Transferred } from './send.ts';
import { sendCopy } from './send-copy.ts';
import type { Session } from './session.ts';
import { settleAll } from './settle.ts';
import type { SetState } from './state.ts';
import { type MirrorContext, MirrorError } from './types.ts';

export interface Staging {
  readonly snapshot: string;
  readonly frozen: FrozenSource;
  readonly state: SetState;
  readonly context: MirrorContext;
}

/** Snapshots whose content is looked at for what need not be sent: each is read from our own side. */
const looked = 20;

/** What a host has already, as far as we know. */
export interface Known {
  readonly bases: readonly Base[];
  /** Snapshots to link from, in order. */
  readonly names: readonly string[];
  /** A base of which nothing is known, or which is damaged: what is linked from it must be compared. */
  readonly doubtful: boolean;
}

/** Brings a snapshot to a host, where nothing shows it yet, and compares it with what was frozen. */
export async function stage(session: Session, { snapshot, frozen, state, context }: Staging): Promise<void> {
  const { host } = session;
  session.phase = 'stage';
  if (session.lock?.linksHold === false) {
    throw new MirrorError('munged', 'a link that was sent leads nowhere: set "munge symlinks = no" on the daemon');
  }
  const known = await knownOn(session, state, frozen.manifest);
  const sent = await sendTree(session, { snapshot, frozen, known });
  session.transferred = sent;
  const surprising = surpriseOf(known, frozen.manifest, sent.changed);
  if (surprising !== null) context.log(`${host.name}: ${surprising}`);
  // rsync goes by sizes and whole seconds: a file that was made twice within one is taken for the one before.
  const doubtful = known.doubtful
    ? Object.keys(frozen.manifest.files)
    : [...frozen.content.indexes, ...mistakable(frozen.manifest, known.bases)];
  const arrived = new Set(sent.changed);
  const mended = await mendDifferences(host, frozen.tree, {
    snapshot,
    paths: [...new Set(doubtful)].filter((path) => !arrived.has(path)),
  });
  const bytes = mended.reduce((sum, path) => sum + (frozen.manifest.files[path]?.size ?? 0), sent.bytes);
  session.transferred = { ...sent, bytes, files: sent.files + mended.length };
  session.phase = 'verify';
  const changed = [...sent.changed, ...mended];
  await settleAll([
    sendReport(host, snapshot, sent.report),
    verifyStaged(session, { snapshot, frozen }, changed),
    // What was frozen shares its bytes with the source, which may have been written to in place meanwhile.
    checkFrozen(frozen, changed),
  ]);
}

interface Sending extends Pick<Staging, 'snapshot' | 'frozen'> {
  readonly known: Known;
}

/** Sends over a copy of what stands there, where that can be had and comes to what it should; else the whole tree. */
async function sendTree({ host }: Session, { snapshot, frozen, known }: Sending): Promise<Transferred> {
  const { tree, manifest } = frozen;
  const plan = known.doubtful ? null : planCopy(manifest, known.bases);
  const copied = plan === null ? null : await sendCopy(host, { tree, manifest, snapshot, plan });
  if (copied?.whole) return copied;
  const sent = await sendSnapshot(host, tree, { snapshot, bases: known.names });
  if (copied === null) return sent;
  return {
    bytes: copied.bytes + sent.bytes,
    files: copied.files + sent.files,
    changed: [...new Set([...copied.changed, ...sent.changed])],
    report: copied.report + sent.report,
  };
}

async function verifyStaged(
  { host }: Session,
  { snapshot, frozen }: Pick<Staging, 'snapshot' | 'frozen'>,
  sent: readonly string[],
): Promise<void> {
  const paths = [...new Set([...frozen.content.indexes, ...sent])];
  const different = await differences(host, frozen.tree, { snapshot, paths });
  if (different.length > 0) throw new MirrorError('verify', `${different[0]} is not what was sent`);
}

/** The snapshots of a host that files are linked from: the one that it shows, then what else has something to give. */
export async function knownOn({ host, view, previous }: Session, state: SetState, wanted: Manifest): Promise<Known> {
  const newest = [...(view?.snapshots ?? [])].reverse();
  const names = [...new Set([...(previous === null ? [] : [previous]), ...newest])].slice(0, looked);
  const candidates: Base[] = [];
  for (const snapshot of names.filter((name) => newest.includes(name))) {
    const manifest = await state.manifest(snapshot);
    if (manifest !== null) candidates.push({ snapshot, manifest });
  }
  const chosen = chooseBases(wanted, candidates);
  const shown = candidates.find(({ snapshot }) => snapshot === previous);
  const bases = shown === undefined || chosen.includes(shown) ? chosen : [shown, ...chosen].slice(0, looked);
  const damaged = (await state.damaged())[host.name] !== undefined;
  const blind = candidates.length === 0 && previous !== null && newest.includes(previous);
  const linked = blind ? [previous] : bases.map(({ snapshot }) => snapshot);
  return { bases, names: linked, doubtful: blind || damaged };
}

/** A sentence when more was sent than the host lacked: it does not link as it should, and costs the whole each time. */
function surpriseOf({ bases, doubtful }: Known, wanted: Manifest, changed: readonly string[]): string | null {
  if (doubtful || bases.length === 0) return null;
  const lacking = new Set(mustBeSent(wanted, bases));
  const needless = changed.filter((path) => wanted.files[path] !== undefined && !lacking.has(path));
  if (needless.length === 0) return null;
  const bytes = needless.reduce((sum, path) => sum + (wanted.files[path]?.size ?? 0), 0);
  const what = `${counted(needless.length, 'file')} (${counted(bytes, 'byte')}) sent again, the first ${needless[0]}`;
  return `${what}: the host has them in ${bases[0]?.snapshot}, and does not link to them`;
}
