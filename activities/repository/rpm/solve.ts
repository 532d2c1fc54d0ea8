import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../process/run.ts';
import type { RepositoryProblem } from '../port.ts';
import { list } from './index-read.ts';

/** Asks dnf's repoclosure which packages of the tree need something that neither it nor the others have. */
export async function uninstallable(tree: string, others: readonly string[]): Promise<RepositoryProblem[]> {
  const packages = await list(tree);
  const arch = packages.map((one) => one.arch).find((one) => one !== 'noarch' && one !== 'src') ?? 'x86_64';
  const work = await mkdtemp(join(tmpdir(), 'sluice-closure-'));
  try {
    const apart = [`--installroot=${join(work, 'root')}`, '--releasever=1', `--forcearch=${arch}`];
    const options = ['reposdir=/nonexistent', `cachedir=${join(work, 'cache')}`, 'gpgcheck=0', 'cacheonly=0'];
    const repositories = [tree, ...others].map((path, position) => `--repofrompath=r${position},file://${path}`);
    const args = [...apart, ...options.map((option) => `--setopt=${option}`), ...repositories];
    const { code, stdout, stderr } = await run('dnf', ['--quiet', ...args, 'repoclosure', '--check', 'r0']);
    const problems = readReport(stdout);
    if (code !== 0 && problems.length === 0) throw new Error(`dnf repoclosure ended with ${code}: ${stderr.trim()}`);
    return problems;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Reads blocks of `package: NEVRA from REPO`, `unresolved deps (N):` and one indented dependency a line. */
function readReport(text: string): RepositoryProblem[] {
  const found = new Map<string, RepositoryProblem>();
  for (const block of text.split(/^package: /m).slice(1)) {
    const subject = block.split(' from ')[0] ?? '';
    const missing = [...block.matchAll(/^ {4}(\S.*)$/gm)].map(([, name]) => `needs ${name}, which nothing has`);
    found.set(subject, { kind: 'installability', subject, message: missing.join('; ') });
  }
  return [...found.values()];
}
