import type { Manifest } from './manifest.ts';

/**
 * What a directory holds, by names, sizes and times, a line each in the order of `LC_ALL=C sort`: as `find` prints it
 * with `outlineFormats`. Directories are left out. Names have no control characters.
 */
export function outlineText({ files, links }: Pick<Manifest, 'files' | 'links'>): string {
  const lines = Object.entries(files).map(([path, { size, mtime }]) => `${path}\t${size} ${mtime}\n`);
  for (const [path, text] of Object.entries(links)) lines.push(`${path}\t-> ${text}\n`);
  return lines.sort().join('');
}

/** For GNU find: a file, a link, and anything else that is no directory. */
export const outlineFormats = { file: '%P\\t%s %Ts\\n', link: '%P\\t-> %l\\n', other: '%P\\t%y\\n' } as const;
