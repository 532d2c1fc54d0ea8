/** One entry of a directory as `rsync --list-only --no-human-readable` prints it. */
export interface ListedEntry {
  readonly kind: 'directory' | 'file' | 'link' | 'other';
  readonly name: string;
  /** Text of a link. */
  readonly target: string | null;
  /** Permission bits. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** When it was changed, in seconds since the epoch. */
  readonly mtime: number;
}

const kinds: Readonly<Record<string, ListedEntry['kind']>> = { d: 'directory', '-': 'file', l: 'link' };
const line = /^([a-zA-Z-])(\S{9})\s+([\d,.]+)\s+(\d+)\/(\d+)\/(\d+) (\d+):(\d+):(\d+) (.*)$/;

/** Reads the output of `rsync --list-only --links` in UTC; the directory itself (`.`) is left out. */
export function parseListing(text: string): ListedEntry[] {
  return text.split('\n').flatMap((one): ListedEntry[] => {
    const match = line.exec(one);
    const name = match?.[10];
    if (match === null || name === undefined || name === '.') return [];
    const kind = kinds[match[1] ?? ''] ?? 'other';
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(4, 10).map(Number);
    const mtime = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
    const size = Number((match[3] ?? '').replaceAll(/[,.]/g, ''));
    const facts = { kind, mode: modeOf(match[2] ?? ''), size, mtime };
    if (kind !== 'link') return [{ ...facts, name, target: null }];
    const [path = '', target = ''] = name.split(' -> ');
    return [{ ...facts, name: path, target }];
  });
}

/** For GNU find: each entry as `parseFound` reads it. */
export const foundFormat = '%y %m %s %T@ %P\\0%l\\0';
/** What stands after the last entry of a list that is whole. */
export const foundEnd = 'end';

const foundKinds: Readonly<Record<string, ListedEntry['kind']>> = { d: 'directory', f: 'file', l: 'link' };
const found = /^(\S) ([0-7]+) (\d+) (-?\d+(?:\.\d+)?) (.+)$/s;

/** Reads what `find` printed in that format; null where it is not whole. */
export function parseFound(text: string): ListedEntry[] | null {
  const parts = text.split('\0');
  if (parts.length % 2 === 0 || parts.at(-1) !== foundEnd) return null;
  const entries: ListedEntry[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [, type = '', mode = '', size, time, name] = found.exec(parts[at] ?? '') ?? [];
    if (name === undefined) return null;
    const kind = foundKinds[type] ?? 'other';
    const target = kind === 'link' ? (parts[at + 1] ?? '') : null;
    const facts = { mode: Number.parseInt(mode, 8) & 0o777, size: Number(size), mtime: Math.floor(Number(time)) };
    entries.push({ kind, name, target, ...facts });
  }
  return entries;
}

/** The bits of `rwxr-xr-x`; those of set-user-id and the like are left out. */
function modeOf(text: string): number {
  return [...text].reduce((mode, letter) => mode * 2 + ('-ST'.includes(letter) ? 0 : 1), 0);
}
