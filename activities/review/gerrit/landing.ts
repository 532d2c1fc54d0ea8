import type { SourceState } from '../../../pipelines/model/artifact.ts';
import type { PushResult } from '../../git/push.ts';
import type { Gerrit } from './lookup.ts';
import { remember } from './memory.ts';
import type { GerritChange } from './schema.ts';

/** A change that a push brings to its branch. */
export interface Landing {
  readonly info: GerritChange;
  /** What the branch is at before it. */
  readonly onto: string;
  readonly tested: SourceState;
}

/**
 * Pushes the last of tested commits, each of which stands on the one before. Where changes have brought their branch we
 * know when we did it ourselves: Gerrit may tell of a merge before git has the push done here, so who asks waits for that.
 *
 * @param landings at least one
 */
export async function pushLandings(gerrit: Gerrit, landings: readonly Landing[]): Promise<PushResult> {
  const [first, last] = [landings[0] as Landing, landings.at(-1) as Landing];
  const { landing, pushed } = gerrit.memory;
  remember(pushed, last.tested.commit, true);
  const work = async () => {
    const result = await gerrit.git.push(last.tested, first.onto);
    if (result.kind === 'pushed') await Promise.all(landings.map((each) => know(gerrit, each)));
    return result;
  };
  const pushing = work();
  const done = pushing.catch(() => {});
  for (const { info } of landings) landing.set(info._number, done);
  try {
    return await pushing;
  } finally {
    for (const { info } of landings) landing.delete(info._number);
  }
}

/** Where what was tested is more than one commit on top of the branch, Gerrit is asked where each change has landed. */
async function know({ git, memory }: Gerrit, { info, onto, tested }: Landing): Promise<void> {
  const { parents } = await git.readCommit(tested.project, tested.commit);
  if (parents[0] === onto) remember(memory.landed, info._number, { oldrev: onto, newrev: tested.commit });
}
