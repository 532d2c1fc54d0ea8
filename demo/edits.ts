import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Edit } from './changes.ts';

/**
 * Applies edits to a work tree, in order.
 *
 * @throws when a text to be replaced does not stand in its file exactly once: the story would not be the one told.
 */
export async function applyEdits(tree: string, edits: readonly Edit[]): Promise<void> {
  for (const edit of edits) {
    const path = join(tree, edit.path);
    if ('content' in edit) {
      await writeFile(path, edit.content);
      if (edit.executable === true) await chmod(path, 0o755);
    } else {
      const text = await readFile(path, 'utf8');
      const times = text.split(edit.find).length - 1;
      if (times !== 1) throw new Error(`${edit.path}: “${edit.find.trim()}” stands there ${times} times, not once`);
      await writeFile(
        path,
        text.replace(edit.find, () => edit.replace),
      );
    }
  }
}
