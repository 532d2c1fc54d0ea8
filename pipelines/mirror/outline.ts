import type { Manifest } from './manifest.ts';

/**
 * What a directory holds, by names, sizes and times, in the order of `LC_ALL=C sort`: lines as `find` prints them
 * with `outlineFormats`. Directories are left out. Names have no control characters.
 */
export function* outlineLines({ files, links }: Pick<Manifest, 'files' | 'links'>): Iterable<string> {
  for (const path of [...Object.keys(files), ...Object.keys(links)].sort()) {
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    yield file === undefined ? `${path}\t-> ${links[path]}\n` : `${path}\t${file.size} ${file.mtime}\n`;
  }
}

/** For GNU find: a file, a link, and anything else that is no directory. */
export const outlineFormats = { file: '%P\\t%s %Ts\\n', link: '%P\\t-> %l\\n', other: '%P\\t%y\\n' } as const;
