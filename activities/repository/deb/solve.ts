import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { run } from '../../process/run.ts';
import { readPacked } from '../files.ts';
import type { RepositoryProblem } from '../port.ts';
import { distributions, packageIndexes, readRelease } from './index-read.ts';

/** Asks dose-debcheck which packages of the tree have no installable set in it and the others together. */
export async function uninstallable(tree: string, others: readonly string[]): Promise<RepositoryProblem[]> {
  const { architectures } = await readRelease(tree);
  const work = await mkdtemp(join(tmpdir(), 'sluice-solve-'));
  try {
    const found: RepositoryProblem[] = [];
    for (const arch of architectures) {
      const lists = await Promise.all(
        [tree, ...others].map((one, position) => writeList(one, arch, join(work, `${arch}-${position}`))),
      );
      found.push(...(await solve(arch, lists)));
    }
    return found;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Writes what a repository has for one architecture into one file, unpacked; answers with the file. */
async function writeList(tree: string, arch: string, file: string): Promise<string> {
  const found = await Promise.all((await distributions(tree)).map((dist) => packageIndexes(tree, dist)));
  const paths = found.flat().filter((path) => [`binary-${arch}`, 'binary-all'].includes(basename(dirname(path))));
  const texts = await Promise.all(paths.map((path) => readPacked(join(tree, path))));
  await writeFile(file, texts.join('\n'));
  return file;
}

async function solve(arch: string, [own = '', ...others]: readonly string[]): Promise<RepositoryProblem[]> {
  const bg = others.flatMap((path) => ['--bg', path]);
  const args = ['--explain', '--failures', `--deb-native-arch=${arch}`, '--fg', own, ...bg];
  const { code, stdout, stderr } = await run('dose-debcheck', args);
  if (code !== 0 && code !== 1) throw new Error(`dose-debcheck ended with ${code}: ${stderr.trim()}`);
  return readReport(stdout);
}

interface Entry {
  readonly package: string;
  readonly version: string | number;
  readonly architecture: string;
  readonly reasons?: readonly Reason[];
}

interface Reason {
  readonly missing?: { readonly pkg: { readonly package: string; readonly 'unsat-dependency': string } };
  readonly conflict?: { readonly pkg1: { readonly package: string }; readonly pkg2: { readonly package: string } };
}

function readReport(text: string): RepositoryProblem[] {
  // Versions look like numbers to YAML's core schema, which would turn 1.10 into 1.1.
  const { report } = parse(text, { schema: 'failsafe' }) as { readonly report?: readonly Entry[] | string };
  if (!Array.isArray(report)) return [];
  return (report as readonly Entry[]).map((entry) => ({
    kind: 'installability',
    subject: `${entry.package} ${entry.version} (${entry.architecture})`,
    message: (entry.reasons ?? []).map(describe).join('; '),
  }));
}

function describe({ missing, conflict }: Reason): string {
  if (missing !== undefined)
    return `${missing.pkg.package} needs ${missing.pkg['unsat-dependency']}, which nothing has`;
  return conflict === undefined ? 'unknown' : `${conflict.pkg1.package} conflicts with ${conflict.pkg2.package}`;
}
