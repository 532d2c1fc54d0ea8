import { readFile } from 'node:fs/promises';
import { writeWhole } from '../files/write.ts';

/** What a copy of a source was made of, by paths below it. */
export interface TreeMemory {
  readonly directories: readonly string[];
  /** `facts` tell which file of the source it was; empty where a later change could not be told. */
  readonly files: Readonly<Record<string, { readonly facts: string; readonly sha256: string }>>;
  readonly links: Readonly<Record<string, string>>;
}

interface Saved extends TreeMemory {
  readonly boot: string;
}

/**
 * Null where nothing was noted, where it cannot be read, or where it was noted before the machine started: the disk may
 * lack some of the copy since.
 */
export async function readMemory(path: string): Promise<TreeMemory | null> {
  const saved = await readFile(path, 'utf8')
    .then((text) => JSON.parse(text) as Saved)
    .catch(() => null);
  if (saved === null) return null;
  const { boot, ...memory } = saved;
  return boot === (await thisBoot()) && boot !== '' ? memory : null;
}

export async function saveMemory(path: string, memory: TreeMemory): Promise<void> {
  await writeWhole(path, JSON.stringify({ boot: await thisBoot(), ...memory } satisfies Saved));
}

async function thisBoot(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}
