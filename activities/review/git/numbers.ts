import { mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Numbers of changes, unique over all projects: `numbers/7` is a link whose text is the project of change 7. Making
 * a link is one step that fails when the name is taken, so that no lock is needed and a killed push leaves a gap at
 * worst.
 */
const folder = 'numbers';

/** Takes the next number for a project. */
export async function takeNumber(root: string, project: string): Promise<number> {
  const directory = join(root, folder);
  await mkdir(directory, { recursive: true });
  const taken = (await readdir(directory)).map(Number).filter(Number.isSafeInteger);
  for (let number = taken.reduce((a, b) => Math.max(a, b), 0) + 1; ; number++) {
    if (await link(project, join(directory, String(number)))) return number;
  }
}

/** The project of a change; null when no change has the number. */
export async function projectOf(root: string, number: number): Promise<string | null> {
  try {
    return await readlink(join(root, folder, String(number)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function link(target: string, path: string): Promise<boolean> {
  try {
    await symlink(target, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
