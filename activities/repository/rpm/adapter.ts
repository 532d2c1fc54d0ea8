import { matches } from '../../../pipelines/formats/rpm/relations.ts';
import type { RepositoryFormat } from '../port.ts';
import { bondOf, bonds } from './bonds.ts';
import { mayMeet, refusal } from './conflict.ts';
import { describe, placed } from './describe.ts';
import { rpmExtras } from './extra.ts';
import { count, find, findAt } from './find.ts';
import { dated, list, paths, roots, served, settings, vouched } from './index-read.ts';
import { index, openLists, rootIndex, signatures } from './index-write.ts';
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
  pool: 'Packages',
  contentDigest,
  settings,
  dated,
  list,
  index,
  extras: rpmExtras,
  roots,
  rootIndex,
  signatures,
  // zypper imports a key by itself only from here.
  keyBesideIndex: 'repodata/repomd.xml.key',
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
