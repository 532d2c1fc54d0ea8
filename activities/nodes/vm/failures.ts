import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../../files/write.ts';

const failureSchema = z.object({ platform: z.string(), host: z.string(), time: z.number(), reason: z.string() });

/** Writes down, on the worker's machine, that a preparation has failed, until one succeeds. */
export async function writeFailure(path: string, failure: z.infer<typeof failureSchema>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeWhole(path, `${JSON.stringify(failure)}\n`, { mode: 0o600 });
}

/** The preparations that failed last. */
export async function failedIn(directory: string): Promise<readonly Readonly<z.infer<typeof failureSchema>>[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => /^[^.].*\.json$/.test(name));
  const texts = await Promise.all(
    names.sort().map((name) => readFile(join(directory, name), 'utf8').catch(() => null)),
  );
  return texts.flatMap((text) => (text === null ? [] : [failureSchema.parse(JSON.parse(text))]));
}
