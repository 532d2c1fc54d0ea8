import { matches } from '../../../pipelines/formats/deb/relations.ts';
import { poolsOf } from '../pools.ts';
import type { RepositoryFormat } from '../port.ts';
import { bondOf, bonds } from './bonds.ts';
import { mayMeet, refusal } from './conflict.ts';
import { shelved } from './debug.ts';
import { describe, placed } from './describe.ts';
import { count, find, findAt } from './find.ts';
import { dated, list, roots, served, settings, vouched } from './index-read.ts';
import { index, openLists, signedRoots } from './index-write.ts';
import { contentDigest, inspect, relations } from './package.ts';

/** APT repositories with the component `main`, and `debug` where that is asked for, indexed by apt-ftparchive. */
export const debRepository: RepositoryFormat = {
  id: 'deb',
  inspect,
  describe,
  placed,
  openLists,
  count,
  find,
  findAt,
  shelved,
  pools: poolsOf.deb,
  contentDigest,
  settings,
  dated,
  list,
  index,
  extras: null,
  roots,
  signedRoots,
  // Packages are vouched for by the index alone.
  unsigned: null,
  served,
  vouched,
  bonds,
  bondOf,
  // Whoever wants them reads the packages.
  paths: async () => null,
  contents: async (file) => (await import('./contents.ts')).contents(file),
  relations,
  matches,
  // A publication needs no solver, and starts sooner without one.
  fetchBase: async (...given) => (await import('./base.ts')).fetchBase(...given),
  uninstallable: async (...given) => (await import('./solve.ts')).uninstallable(...given),
  mayMeet,
  refusal,
  together: async (...given) => (await import('./solve.ts')).together(...given),
};
