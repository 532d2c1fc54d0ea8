import type { ChangeBase } from '../../../pipelines/model/change-history.ts';
import { repositoryPath } from '../../git/names.ts';
import { isAncestor } from '../../git/refs.ts';
import type { HostSettings } from './client.ts';
import { changeId } from './map.ts';
import type { ChangeRecord } from './schema.ts';
import { readStored } from './store.ts';

/** On which patch sets of its open Git parents a change's current patch set stands: the newest that it contains. */
export async function readBases(settings: HostSettings, record: ChangeRecord): Promise<readonly ChangeBase[]> {
  const repo = repositoryPath(settings.root, record.project);
  const current = record.patchsets.at(-1);
  const found: ChangeBase[] = [];
  for (const number of record.status === 'open' ? (current?.parents ?? []) : []) {
    const parent = (await readStored(repo, number))?.record;
    if (parent?.status !== 'open' || current === undefined) continue;
    const patchset = await newestIn(repo, current.commit, parent);
    if (patchset > 0)
      found.push({ id: changeId(settings.connection, number), patchset, current: parent.patchsets.length });
  }
  return found;
}

/** The number of the newest of the parent's patch sets that a commit contains; 0 for none. */
async function newestIn(repo: string, commit: string, { patchsets }: ChangeRecord): Promise<number> {
  for (let number = patchsets.length; number > 0; number -= 1) {
    if (await isAncestor(repo, patchsets[number - 1]?.commit ?? '', commit)) return number;
  }
  return 0;
}
