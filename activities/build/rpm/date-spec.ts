import {
  completeRelease,
  defineAutorelease,
  usesAutochangelog,
  usesAutorelease,
} from '../../../pipelines/formats/rpm/autospec.ts';
import { buildRelease, isRaised } from '../../../pipelines/formats/rpm/build-version.ts';
import {
  changelogEntry,
  countedPart,
  parseSpecHead,
  rewriteSpec,
  type SpecHead,
} from '../../../pipelines/formats/rpm/spec.ts';
import { commitsSince, previousState, readTip, type VersionFile, type VersionState, versionState } from '../history.ts';
import { BuildProblem } from '../problem.ts';
import { readSourceBytes, type Source } from '../source.ts';
import { changelogBeside, readAutoHistory } from './autospec.ts';

/** A spec as it stands in the tree. */
export interface Spec {
  readonly path: string;
  /** Its path in the commit. */
  readonly committed: string;
  /** A character for each byte. */
  readonly text: string;
  readonly head: SpecHead;
}

export interface DatedSpec {
  readonly spec: string;
  /** When the commit was made, in seconds since the epoch; null without history. */
  readonly time: number | null;
}

/**
 * Gives a spec the release and the changelog of its commit.
 *
 * @param codename the platform's.
 * @throws BuildProblem when the version is not raised.
 */
export async function dateSpec(source: Source, spec: Spec, codename: string): Promise<DatedSpec> {
  const { gitDir } = source;
  if (gitDir === null) return { spec: withoutHistory(spec.text), time: null };
  const { committed, text, head } = spec;
  const state = await versionState(gitDir, 'HEAD', versionFile(committed));
  if (state === null) throw new BuildProblem(`${committed} is not in the commit`);
  await assertRaised(gitDir, state, spec);
  const { time } = await readTip(gitDir);
  const [auto, logged] = [usesAutorelease(text), usesAutochangelog(text)];
  const history = auto || logged ? await readAutoHistory(gitDir, committed) : null;
  const number = history?.number ?? 1;
  const release = auto ? completeRelease(text, number) : `${head.release}.${codename}.${state.count}`;
  const changelog =
    history !== null && logged
      ? await generated(source, spec, history)
      : await counted(gitDir, { text, state, version: evr({ ...head, release }) });
  const rewritten = rewriteSpec(text, { release: auto ? null : buildRelease(head.release, state.count), changelog });
  return { spec: auto ? defineAutorelease(rewritten, number) : rewritten, time };
}

/** The first release of nobody knows how many. */
function withoutHistory(text: string): string {
  const spec = usesAutochangelog(text) ? rewriteSpec(text, { release: null, changelog: '' }) : text;
  return usesAutorelease(text) ? defineAutorelease(spec, 1) : spec;
}

interface Counted {
  readonly text: string;
  readonly state: VersionState;
  readonly version: string;
}

/** One entry for all commits of the version. */
async function counted(gitDir: string, { text, state, version }: Counted): Promise<string> {
  const entry = { ...(await readTip(gitDir)), version, commits: await commitsSince(gitDir, state.introduced) };
  return bytes(changelogEntry(text, entry));
}

/** One entry for each commit, then the file `changelog` beside the spec. */
async function generated(
  source: Source,
  { path }: Spec,
  history: Awaited<ReturnType<typeof readAutoHistory>>,
): Promise<string> {
  const file = (await readSourceBytes(source, changelogBeside(path)))?.toString('latin1') ?? '';
  // Another program's changelog may have the name.
  const old = /^\s*\*\s+\w{3}\s+\w{3}\s+\d/.test(file) ? file.trim() : '';
  return bytes(await history.entries(old)) + old;
}

function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function versionFile(path: string): VersionFile {
  const part = (text: string) => {
    const head = parseSpecHead(text);
    return head === null ? null : countedPart(head);
  };
  return { path, countedPart: part };
}

function evr({ epoch, version, release }: SpecHead): string {
  return `${epoch === '0' ? '' : `${epoch}:`}${version}-${release}`;
}

async function assertRaised(gitDir: string, state: VersionState, { committed, head }: Spec): Promise<void> {
  const before = await previousState(gitDir, state, versionFile(committed));
  const old = before === null ? null : parseSpecHead(before.text);
  if (before === null || old === null || isRaised(evr(old), evr(head))) return;
  throw new BuildProblem(`${committed}: ${evr(head)} does not sort above ${evr(old)}, which this branch had before`);
}
