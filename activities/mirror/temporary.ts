import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporary } from '../process/temporary.ts';

/** Does something with an empty directory that nobody else may enter, and removes it and what stands beside it. */
export async function withTemporary<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await makeTemporary('sluice-mirror');
  const inner = join(directory, 'content');
  try {
    await mkdir(inner);
    return await work(inner);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
