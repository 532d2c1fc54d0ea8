import { matches } from '../../../pipelines/formats/rpm/relations.ts';
import { poolsOf } from '../pools.ts';
import type { RepositoryFormat } from '../port.ts';
import { bondOf, bonds } from './bonds.ts';
import { mayMeet, refusal } from './conflict.ts';
import { shelved } from './debug.ts';
import { describe, placed } from './describe.ts';
import { rpmExtras } from './extra.ts';
import { count, find, findAt } from './find.ts';
import { dated, list, paths, roots, served, settings, vouched } from './index-read.ts';
import { index, openLists, signedRoots } from './index-write.ts';
import { contentDigest, contents, inspect, relations } from './package.ts';
import { unsigned } from './signed.ts';

/** Plain RPM repositories, whose packages createrepo_c describes, with checksum-named metadata. */
export const rpmRepository: RepositoryFormat = {
  id: 'rpm',
  inspect,
  describe,
  placed,
  openLists,
  count,
  find,
  findAt,
  shelved,
  pools: poolsOf.rpm,
  contentDigest,
  settings,
  dated,
  list,
  index,
  extras: rpmExtras,
  roots,
  signedRoots,
  unsigned,
  served,
  vouched,
  bonds,
  bondOf,
  paths,
  contents,
  relations,
  matches,
  // A publication needs no solver, and starts sooner without one.
  fetchBase: async (...given) => (await import('./base.ts')).fetchBase(...given),
  uninstallable: async (...given) => (await import('./solve.ts')).uninstallable(...given),
  mayMeet,
  refusal,
  together: async (...given) => (await import('./solve.ts')).together(...given),
};
