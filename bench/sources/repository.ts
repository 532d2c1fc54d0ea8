import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../../activities/process/run.ts';
import type { SourceState } from '../../pipelines/model/artifact.ts';

/** A source in Git, as its packager would have it. */
export interface SourceRepository {
  readonly gitDir: string;
  /** Its work tree. */
  readonly tree: string;
  readonly state: SourceState;
}

/** Bytes stay as they are, whatever upstream's own attributes say: as `gbp import-orig` does it. */
const attributes = '* -text -eol -ident -filter -working-tree-encoding\n';

/**
 * Puts an unpacked source into a new repository: upstream's tree, then the packaging; patches are not applied. The
 * commits are made a minute after the newest changelog entry was written, from which Debian's build takes its time.
 */
export async function importSource(name: string, description: string, directory: string): Promise<SourceRepository> {
  const tree = join(directory, name);
  const aside = join(directory, 'debian');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await must('dpkg-source', ['--no-check', '--skip-patches', '--quiet', '--extract', description, tree]);
  const changelog = ['-l', 'debian/changelog', '--show-field', 'Timestamp'];
  const written = (await must('dpkg-parsechangelog', changelog, { cwd: tree })).stdout.trim();
  const git = gitIn(tree, Number(written) + 60);
  await git('init', '--quiet', '--template=', '--initial-branch=main');
  await mkdir(join(tree, '.git', 'info'), { recursive: true });
  await writeFile(join(tree, '.git', 'info', 'attributes'), attributes);
  await rename(join(tree, 'debian'), aside);
  await git('add', '--all', '--force');
  await git('commit', '--quiet', '--allow-empty', '--message', 'Import upstream');
  await rename(aside, join(tree, 'debian'));
  await git('add', '--all', '--force');
  await git('commit', '--quiet', '--message', 'Add the packaging');
  const id = async (what: string) => (await git('rev-parse', what)).trim();
  const state = { project: name, branch: 'main', commit: await id('HEAD'), tree: await id('HEAD^{tree}') };
  return { gitDir: join(tree, '.git'), tree, state };
}

function gitIn(cwd: string, time: number) {
  const date = `${time} +0000`;
  const env = {
    ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    ...{ GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
  };
  const who = ['-c', 'user.name=A Packager', '-c', 'user.email=packager@sluice.dev'];
  return async (...args: readonly string[]) => (await must('git', [...who, ...args], { cwd, env })).stdout;
}
