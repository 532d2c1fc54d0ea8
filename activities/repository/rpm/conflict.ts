import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../process/run.ts';
import { makeTemporary } from '../../process/temporary.ts';
import type { FileClash, PackagePair } from '../port.ts';

/** Versions of one package replace each other; architectures of one package are not told apart by their name. */
export function mayMeet(...[one, other]: PackagePair): boolean {
  return one.name !== other.name;
}

/** Asks rpm whether it would put both on one system, whose files would be judged by mode, owner, content and colour. */
export async function refusal(tree: string, pair: PackagePair, clashes: readonly FileClash[]): Promise<string | null> {
  const database = await makeTemporary('sluice-rpmdb');
  try {
    const files = pair.map(({ path }) => join(tree, path));
    const unasked = [
      '--nodeps',
      '--ignorearch',
      '--ignoreos',
      '--ignoresize',
      '--nosignature',
      '--nodigest',
      '--noscripts',
    ];
    const args = [
      '-i',
      '--test',
      '--dbpath',
      database,
      '--define',
      '_pkgverify_level none',
      ...unasked,
      '--',
      ...files,
    ];
    const { code, stderr } = await run('rpm', args);
    const [, path] = /^\s*file (.*) conflicts between attempted installs of /m.exec(stderr) ?? [];
    if (path === undefined) {
      if (code !== 0) throw new Error(`rpm did not judge ${files.join(' and ')}: ${stderr.trim()}`);
      return null;
    }
    const marks = clashes.find((one) => one.path === path)?.marks;
    return marks === undefined ? `both bring ${path}` : `both bring ${path}${difference(marks)}`;
  } finally {
    await rm(database, { recursive: true, force: true });
  }
}

/** What differs besides the content, by the marks that `contents` makes: mode, owner, content. */
function difference([one, other]: FileClash['marks']): string {
  const [a, b] = [one, other].map((mark) => mark.split(' ').slice(0, 2).join(' '));
  return a === b ? '' : `, one as ${a} and one as ${b}`;
}
