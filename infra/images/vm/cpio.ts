/** A file or a directory of an initial file system. */
export interface Entry {
  /** Below its root, without a slash in front. */
  readonly path: string;
  /** Null: a directory. */
  readonly content: Buffer | null;
  readonly executable: boolean;
}

const types = { file: 0o100_000, directory: 0o040_000 } as const;

/** An archive of Linux's initial file systems (`newc`), as its documentation has it: initramfs-buffer-format. */
export function cpioOf(entries: readonly Entry[]): Buffer {
  const all = entries.map(({ path, content, executable }, index) => {
    const kind = content === null ? 'directory' : 'file';
    const mode = types[kind] | (executable || content === null ? 0o755 : 0o644);
    return record(path, { inode: index + 1, mode, content: content ?? Buffer.alloc(0) });
  });
  return Buffer.concat([...all, record('TRAILER!!!', { inode: 0, mode: 0, content: Buffer.alloc(0) })]);
}

/** Bytes up to the next place where a record, or another archive, may begin. */
export function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

interface Recorded {
  readonly inode: number;
  readonly mode: number;
  readonly content: Buffer;
}

function record(path: string, { inode, mode, content }: Recorded): Buffer {
  const name = Buffer.from(`${path}\0`);
  const [owner, group, links, time] = [0, 0, 1, 0];
  const fields = [inode, mode, owner, group, links, time, content.length, 0, 0, 0, 0, name.length, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(head), name])), padded(content)]);
}
