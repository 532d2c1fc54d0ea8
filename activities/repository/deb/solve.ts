import { join } from 'node:path';
import { parse } from 'yaml';
import { run } from '../../process/run.ts';
import { exists } from '../files.ts';
import type { RepositoryProblem } from '../port.ts';
import { distribution, readRelease } from './index-read.ts';

/** Asks dose-debcheck which packages of the tree have no installable set in it and the others together. */
export async function uninstallable(tree: string, others: readonly string[]): Promise<RepositoryProblem[]> {
  const { architectures } = await readRelease(tree);
  const found = await Promise.all(architectures.map((arch) => uninstallableOn(arch, tree, others)));
  return found.flat();
}

async function uninstallableOn(arch: string, tree: string, others: readonly string[]): Promise<RepositoryProblem[]> {
  const own = join(tree, await distribution(tree), 'main', `binary-${arch}`, 'Packages');
  const background = await Promise.all(others.map((other) => packagesFile(other, arch)));
  const bg = background.flatMap((path) => (path === null ? [] : ['--bg', path]));
  const args = ['--explain', '--failures', `--deb-native-arch=${arch}`, '--fg', own, ...bg];
  const { code, stdout, stderr } = await run('dose-debcheck', args);
  if (code !== 0 && code !== 1) throw new Error(`dose-debcheck ended with ${code}: ${stderr.trim()}`);
  return readReport(stdout);
}

async function packagesFile(tree: string, arch: string): Promise<string | null> {
  const path = join(tree, await distribution(tree), 'main', `binary-${arch}`, 'Packages');
  return (await exists(path)) ? path : null;
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
