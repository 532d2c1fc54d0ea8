import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseControl } from '../../pipelines/formats/deb/control.ts';
import { overridesSuffix, overrideWarnings } from '../../pipelines/formats/deb/warning-overrides.ts';
import { knownWarnings, parseDpkgWarnings, warningsSuffix } from '../../pipelines/formats/deb/warnings.ts';
import type { LintRemark } from '../../pipelines/model/lint.ts';
import type { Machine } from '../nodes/port.ts';

/**
 * What the build's own tools warned of, from the files that a build keeps beside its packages; what the source's own
 * list accepts is overridden.
 */
export async function readWarnings(folder: string): Promise<readonly LintRemark[]> {
  const names = await readdir(folder);
  const builds = names.flatMap((name) => {
    const suffix = [warningsSuffix, overridesSuffix].find((each) => name.endsWith(each));
    return suffix === undefined ? [] : [name.slice(0, -suffix.length)];
  });
  const read = async (name: string) => (names.includes(name) ? readFile(join(folder, name), 'utf8') : '');
  const judged = [...new Set(builds)].sort().map(async (build) => {
    const [warned, accepted] = [await read(build + warningsSuffix), await read(build + overridesSuffix)];
    return overrideWarnings(parseDpkgWarnings(warned), accepted);
  });
  return (await Promise.all(judged)).flat();
}

/** Prints `debian/control` of each source package in the directory, unpacked as far as its format lets. */
const printSources = `for description in ./*.dsc; do
  [ -f "$description" ] || continue
  to=$(mktemp -d)
  dpkg-source --no-check --no-copy --skip-patches --extract "$description" "$to/tree" > /dev/null 2>&1 ||
    dpkg-source --no-check --no-copy --extract "$description" "$to/tree" > /dev/null 2>&1
  cat "$to/tree/debian/control" 2> /dev/null
  printf '\\n\\n'
done`;

const printBinaries = `for package in ./*.deb; do
  [ -f "$package" ] || continue
  dpkg-deb --field "$package" 2> /dev/null
  printf '\\n\\n'
done`;

/**
 * Which of the warnings the released version has as well.
 *
 * @param released `place` is where its files are on the machine.
 */
export async function releasedWarnings(
  machine: Machine,
  warned: readonly LintRemark[],
  released: { readonly place: string; readonly signal: AbortSignal },
): Promise<readonly LintRemark[]> {
  if (!warned.some(({ severity }) => severity === 'error')) return [];
  const print = async (script: string) =>
    parseControl((await machine.exec(['sh', '-c', script], { cwd: released.place, signal: released.signal })).output);
  return knownWarnings(warned, { source: await print(printSources), binaries: await print(printBinaries) });
}
