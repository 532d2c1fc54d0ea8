import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** A link is not followed, and a pipe not waited for. */
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Opens a file and looks at what was opened. Several names for it are fine: repositories link what they share.
 *
 * @param wanted `size`: how many bytes it must have
 * @throws for what is no regular file (a link is none), or has another size
 */
export async function openRegular(wanted: {
  readonly path: string;
  readonly size?: number;
}): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const { path, size } = wanted;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ELOOP' ? new Error(`${path} is a link: only regular files are stored`) : error;
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error(`${path} is no regular file`);
    if (size !== undefined && found.size !== size) throw new Error(`${path} has ${found.size} bytes, not ${size}`);
    return { file, size: found.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}
