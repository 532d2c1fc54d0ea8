import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../files/digest.ts';
import { must } from '../../process/run.ts';
import { makeTemporary } from '../../process/temporary.ts';
import type { FileClash, PackagePair } from '../port.ts';
import { isForInstaller } from './installer.ts';

/**
 * One system has packages of one architecture and `all`, or instances of one package for several. What the installer
 * takes is unpacked in its memory, chosen by itself.
 */
export function mayMeet(...[one, other]: PackagePair): boolean {
  if (isForInstaller(one.path) || isForInstaller(other.path)) return false;
  if (one.name === other.name) return one.version === other.version && one.arch !== other.arch;
  return one.arch === other.arch || one.arch === 'all' || other.arch === 'all';
}

/** What dpkg would refuse: a file over another package's, unless one of them diverts it. */
export async function refusal(tree: string, pair: PackagePair, clashes: readonly FileClash[]): Promise<string | null> {
  const files = pair.map(({ path }) => join(tree, path));
  const solid = clashes.filter(({ marks }) => !isLinkToDirectory(marks));
  if (pair[0].name === pair[1].name) return differingInstances(files, solid);
  const scripts = (await Promise.all(files.map(scriptsOf))).flat();
  const [clash] = solid.filter(({ path }) => !scripts.some((text) => mayDivert(text, path)));
  return clash === undefined ? null : `both bring ${clash.path}`;
}

/** dpkg keeps a directory where another package has a link, and the other way round. */
function isLinkToDirectory(marks: FileClash['marks']): boolean {
  const kinds = marks.map((mark) => mark.charAt(0));
  return kinds.includes('d') && kinds.includes('l');
}

/** Instances of a package that is `Multi-Arch: same` share files of one content. */
async function differingInstances(files: readonly string[], clashes: readonly FileClash[]): Promise<string | null> {
  const kinds = await Promise.all(files.map(multiArch));
  // Of any other package, dpkg takes one architecture alone.
  if (kinds.some((kind) => kind !== 'same')) return null;
  const work = await makeTemporary('sluice-instances');
  try {
    const roots = files.map((_, position) => join(work, `${position}`));
    for (const [position, file] of files.entries()) await must('dpkg-deb', ['--extract', file, roots[position] ?? '']);
    for (const { path } of clashes) {
      const [one, other] = await Promise.all(roots.map((root) => contentOf(join(root, path))));
      if (one !== other) return `both bring ${path}, which must be the same in all architectures`;
    }
    return null;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function multiArch(file: string): Promise<string> {
  const { stdout } = await must('dpkg-deb', ['--field', '--', file, 'Multi-Arch']);
  return stdout.trim();
}

function contentOf(path: string): Promise<string> {
  return readlink(path).catch(() => sha256(path));
}

/** The maintainer scripts: whoever diverts a file does so there. */
async function scriptsOf(file: string): Promise<string[]> {
  const work = await makeTemporary('sluice-control');
  try {
    await must('dpkg-deb', ['--control', file, work]);
    const names = (await readdir(work)).filter((name) => /^(preinst|postinst)$/.test(name));
    return await Promise.all(names.map((name) => readFile(join(work, name), 'latin1')));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Whether a script diverts the path: it names it, or diverts what only running it would tell. */
function mayDivert(script: string, path: string): boolean {
  const commands = script
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => /\bdpkg-divert\b/.test(line));
  if (commands.length === 0) return false;
  const named = new RegExp(`(^|[\\s"'=])${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}($|[\\s"';])`, 'm');
  return named.test(script) || commands.some((line) => /\$/.test(line));
}
