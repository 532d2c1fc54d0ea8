import { matches } from '../../../pipelines/formats/deb/relations.ts';
import type { RepositoryFormat } from '../port.ts';
import { fetchBase } from './base.ts';
import { mayMeet, refusal } from './conflict.ts';
import { contents } from './contents.ts';
import { describe, placed } from './describe.ts';
import { count, find, findAt } from './find.ts';
import { list, roots, served, settings, vouched } from './index-read.ts';
import { index, openLists, rootIndex, signatures } from './index-write.ts';
import { contentDigest, inspect, relations } from './package.ts';
import { together, uninstallable } from './solve.ts';

/** APT repositories with the single component `main`, indexed by apt-ftparchive. */
export const debRepository: RepositoryFormat = {
  id: 'deb',
  inspect,
  describe,
  placed,
  openLists,
  count,
  find,
  findAt,
  pool: 'pool',
  contentDigest,
  settings,
  list,
  index,
  roots,
  rootIndex,
  signatures,
  // Packages are vouched for by the index alone.
  unsigned: async () => [],
  served,
  vouched,
  contents,
  relations,
  matches,
  fetchBase,
  uninstallable,
  mayMeet,
  refusal,
  together,
};
