/** One entry of a directory as `rsync --list-only` prints it. */
export interface ListedEntry {
  readonly kind: 'directory' | 'file' | 'link' | 'other';
  readonly name: string;
  /** Text of a link. */
  readonly target: string | null;
}

const kinds: Readonly<Record<string, ListedEntry['kind']>> = { d: 'directory', '-': 'file', l: 'link' };

/** Reads the output of `rsync --list-only --links`; the directory itself (`.`) is left out. */
export function parseListing(text: string): ListedEntry[] {
  return text.split('\n').flatMap((line): ListedEntry[] => {
    const match = /^([a-zA-Z-])\S{9}\s+[\d,.]+\s+\S+ \S+ (.*)$/.exec(line);
    if (match?.[2] === undefined || match[2] === '.') return [];
    const kind = kinds[match[1] ?? ''] ?? 'other';
    if (kind !== 'link') return [{ kind, name: match[2], target: null }];
    const [name = '', target = ''] = match[2].split(' -> ');
    return [{ kind, name, target }];
  });
}
