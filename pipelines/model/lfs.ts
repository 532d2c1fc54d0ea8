/** Content that Git LFS keeps beside a repository. */
export interface LfsObject {
  /** SHA-256 of the content, in hex digits. */
  readonly oid: string;
  /** Bytes. */
  readonly size: number;
}

/** Where a pointer of Git LFS stands in a tree, and what it stands for. */
export interface LfsPointer extends LfsObject {
  /** A character for each byte: names need not be UTF-8. */
  readonly path: string;
}

/**
 * Reads a pointer file of version 1 (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
 *
 * @returns null for any other text, and for a pointer with extensions, whose content only their programs know
 */
export function readLfsPointer(text: string): LfsObject | null {
  const [, oid, size] =
    /^version https:\/\/git-lfs\.github\.com\/spec\/v1\noid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n?$/.exec(text) ??
    [];
  return oid === undefined ? null : { oid, size: Number(size) };
}
