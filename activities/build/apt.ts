import {
  asWritten,
  buildDependencies,
  namesIn,
  type Offers,
  readOffers,
  whyUnmet,
} from '../../pipelines/formats/deb/build-dependencies.ts';
import { places, type Room } from './room.ts';
import { readSourceFile, type Source } from './source.ts';

const simulation = ['apt-get', '--quiet', '--simulate', '--no-install-recommends', '--allow-downgrades'];

/**
 * Which build dependencies of a source cannot be met, in one line.
 *
 * @returns null when they can be met, or APT can tell nothing: a fault of the machine, not of the package.
 */
export async function unmetDependencies(source: Source, room: Room): Promise<string | null> {
  const relations = buildDependencies((await readSourceFile(source, 'debian/control')) ?? '');
  return unmetRelations(relations, ['build-dep', places.source], room);
}

/**
 * Which of some relations cannot be met. The words of APT's solver change from version to version, so that each is asked
 * for alone, without installing anything, and only yes or no is taken from the answer.
 *
 * @param all asks for all of them.
 * @returns one line; null as above.
 */
export async function unmetRelations(
  relations: readonly string[],
  all: readonly string[],
  room: Room,
): Promise<string | null> {
  if ((await room.root(['apt-get', '--quiet', 'check'], { quiet: true })).code !== 0) return null;
  const { code, output } = await room.root([...simulation, ...all], { quiet: true });
  if (code === 0) return null;
  const problem = 'build dependencies cannot be met';
  const alone = await askEach(relations, room);
  if (alone.length > 0) {
    const offers = await readWorld(
      alone.flatMap(({ relation }) => namesIn(relation)),
      room,
    );
    const each = alone.map(({ relation, said }) => `${asWritten(relation)} (${whyUnmet(relation, said, offers)})`);
    return `${problem}: ${each.join(', ')}`;
  }
  const pair = await findPair(relations, async (some) => (await satisfy(some, room)).code !== 0);
  if (pair !== null) return `${problem}: ${pair.map(asWritten).join(' and ')} cannot be installed together`;
  const error = output.split('\n').findLast((line) => line.startsWith('E: '));
  return `${problem}: ${error?.slice(3) ?? 'debian/control cannot be read'}`;
}

function satisfy(relations: readonly string[], room: Room) {
  return room.root([...simulation, 'satisfy', '--', ...relations], { quiet: true });
}

interface Unmet {
  readonly relation: string;
  readonly said: string;
}

async function askEach(relations: readonly string[], room: Room): Promise<readonly Unmet[]> {
  const unmet: Unmet[] = [];
  for (const relation of relations) {
    const { code, output } = await satisfy([relation], room);
    if (code !== 0) unmet.push({ relation, said: output });
  }
  return unmet;
}

async function readWorld(names: readonly string[], room: Room): Promise<Offers> {
  const { output } = await room.root(['apt-cache', 'showpkg', '--', ...new Set(names)], { quiet: true });
  return readOffers(output);
}

/**
 * Two relations that are in each other's way, of some that cannot be met together.
 *
 * @param fails whether those that are given cannot be met together.
 * @returns null when all of them can.
 */
export async function findPair(
  relations: readonly string[],
  fails: (some: readonly string[]) => Promise<boolean>,
): Promise<readonly [string, string] | null> {
  if (!(await fails(relations))) return null;
  const end = await smallest(relations.length, (count) => fails(relations.slice(0, count)));
  const late = relations[end - 1] ?? '';
  const start = await smallest(end - 1, (count) => fails([...relations.slice(0, count), late]));
  return [relations[start - 1] ?? '', late];
}

/** The smallest count up to `most` for which it holds; it holds for `most`. */
async function smallest(most: number, holds: (count: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [1, most];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await holds(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}
