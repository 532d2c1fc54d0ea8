import { parseControl, readSourceControl } from '../../../pipelines/formats/deb/control.ts';
import { overridesPath, overridesSuffix } from '../../../pipelines/formats/deb/warning-overrides.ts';
import {
  dpkgWarnings,
  explainWarnings,
  type PackageFacts,
  warnedPackages,
  warningsSuffix,
} from '../../../pipelines/formats/deb/warnings.ts';
import { placeFile, places, type Room } from '../room.ts';

/** Prints for each package, a NUL behind each: dependencies that were found, fields, libraries that its files ask for. */
const look = `cat debian/control
printf '\\0'
for name; do
  sed -n 's/^shlibs:\\(Pre-\\)\\{0,1\\}Depends[?!]\\{0,1\\}=//p' "debian/$name.substvars" debian/substvars 2>/dev/null | tr '\\n' ','
  printf '\\0'
  package=$(find .. -maxdepth 1 -name "\${name}_*.deb" | head -n 1)
  [ -z "$package" ] || dpkg-deb --field "$package"
  printf '\\0'
  to=$(mktemp -d)
  [ -z "$package" ] || dpkg-deb --extract "$package" "$to"
  find "$to" -type f -exec readelf -d {} + 2>/dev/null | sed -n 's/.*(NEEDED).*\\[\\(.*\\)\\]$/\\1/p'
  rm -rf "$to"
  printf '\\0'
done`;

/**
 * Keeps what dpkg's tools warned of beside the packages, with what each package came to by it: dpkg only warns where a
 * package is not what its source says, and the lint stage judges.
 *
 * @param name of the file, without its ending.
 */
export async function keepWarnings(name: string, output: string, room: Room): Promise<void> {
  const warnings = dpkgWarnings(output);
  if (warnings.length === 0) return;
  const facts = await readFacts(warnedPackages(warnings), room);
  const text = explainWarnings(warnings, (each) => facts.get(each)).map((line) => `${line}\n`);
  const file = `${name}${warningsSuffix}`;
  await placeFile(room, `${places.home}/${file}`, text.join(''));
  await room.build('warnings', ['cp', `${places.home}/${file}`, places.work], { quiet: true });
}

/**
 * Keeps the list of the warnings that the maintainer accepts beside the packages, where the source has one.
 *
 * @param name of the file, without its ending.
 */
export async function keepOverrides(name: string, room: Room): Promise<void> {
  const script = `[ ! -f "source/$LIST" ] || cp -- "source/$LIST" "$OUT"`;
  const env = { LIST: overridesPath, OUT: `${places.work}/${name}${overridesSuffix}` };
  await room.build('warnings', ['/bin/sh', '-c', script], { cwd: places.work, env, quiet: true });
}

async function readFacts(names: readonly string[], room: Room): Promise<ReadonlyMap<string, PackageFacts>> {
  if (names.length === 0) return new Map();
  const argv = ['sh', '-c', look, 'sh', ...names];
  const output = await room.build('warnings', argv, { cwd: `${places.work}/tree`, quiet: true });
  const [control = '', ...parts] = output.split('\0');
  const paragraphs = readSourceControl(control);
  return new Map(
    names.map((name, index) => {
      const [found = '', fields = '', needed = ''] = parts.slice(index * 3, index * 3 + 3);
      const source = paragraphs.find((each) => each.Package === name) ?? {};
      const built = parseControl(fields)[0] ?? {};
      return [name, { source, built, found, needed: needed.split('\n').filter(Boolean) }];
    }),
  );
}
