import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../activities/process/run.ts';

/** A built package as it can be compared with another build of it. */
export interface BuiltPackage {
  /** `NAME ARCHITECTURE`, with `udeb` behind it for one of the installer. */
  readonly id: string;
  readonly version: string;
  /** Control fields by name. */
  readonly fields: Readonly<Record<string, string>>;
  /** Mode, owner, group, kind, name and target of each file, one line each. */
  readonly files: readonly string[];
  /** Digest of each maintainer script and list beside the control file. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Digest of each regular file. */
  readonly contents: Readonly<Record<string, string>>;
}

/** The packages in a directory, in the order of their names. `plain` takes out of a text what no build shares. */
export async function readPackages(
  directory: string,
  plain: (text: string) => string,
): Promise<readonly BuiltPackage[]> {
  const names = (await readdir(directory)).filter((name) => /\.u?deb$/.test(name)).sort();
  const packages: BuiltPackage[] = [];
  for (const name of names) packages.push(await readPackage(join(directory, name), plain));
  return packages.sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function readPackage(path: string, plain: (text: string) => string): Promise<BuiltPackage> {
  const work = await mkdtemp(join(tmpdir(), 'sluice-compare-'));
  try {
    await must('dpkg-deb', ['--raw-extract', path, join(work, 'tree')]);
    const fields = parseFields((await must('dpkg-deb', ['--field', path])).stdout);
    const listing = (await must('dpkg-deb', ['--contents', path], { env: { TZ: 'UTC', LC_ALL: 'C.UTF-8' } })).stdout;
    const control = join(work, 'tree', 'DEBIAN');
    const scripts = await digests(control, plain);
    await rm(control, { recursive: true });
    const kind = path.endsWith('.udeb') ? ' udeb' : '';
    const { control: _, md5sums: __, ...others } = scripts;
    return {
      id: `${fields.Package} ${fields.Architecture}${kind}`,
      version: fields.Version ?? '',
      fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)])),
      files: listing
        .trimEnd()
        .split('\n')
        .map((line) => plain(withoutTime(line)))
        .sort(),
      scripts: others,
      contents: await digests(join(work, 'tree'), plain),
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** `-rwxr-xr-x root/root  1234 2026-01-01 12:00 ./usr/bin/x` without size and time. */
function withoutTime(line: string): string {
  return line.replace(/^(\S+ \S+)\s+\S+ \d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)? /, '$1 ');
}

function parseFields(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  let name = '';
  for (const line of text.split('\n')) {
    const [, key, value = ''] = /^([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined) {
      name = key;
      fields[name] = value;
    } else if (name !== '' && line.trim() !== '') fields[name] += `\n${line}`;
  }
  return fields;
}

async function digests(root: string, plain: (text: string) => string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = plain(path.slice(root.length + 1));
    const state = await lstat(path);
    if (state.isSymbolicLink()) found[name] = `-> ${plain(await readlink(path))}`;
    if (!state.isFile()) continue;
    const text = plain((await readFile(path)).toString('latin1'));
    found[name] = createHash('sha256').update(text, 'latin1').digest('hex');
  }
  return found;
}
