/** What rpm prints of a package that must be the same wherever its source is built: what Koji's rpmdiff compares. */
export const noarchQuery = [
  ...['summary %{SUMMARY}\\n', 'version %{EVR}\\n'],
  ...['PROVIDE', 'REQUIRE', 'CONFLICT', 'OBSOLETE'].map((tag) => `[${tag.toLowerCase()}s %{${tag}NEVRS}\\n]`),
  ...['PREIN', 'POSTIN', 'PREUN', 'POSTUN'].map((tag) => `%|${tag}?{${tag.toLowerCase()} script %{${tag}}\\n}|`),
  '[file %{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEFLAGS:fflags} %{FILELINKTOS}\\n]',
].join('');

/**
 * What tells two builds of one package apart, of one line and one side; null for no difference. Sizes, times and content
 * of files are not looked at: they may have the machine's name or the day in them.
 *
 * @param own printed by `noarchQuery` of the package that was built here.
 * @param first the same of the other one.
 */
export function noarchDifference(own: string, first: string): string | null {
  const [here, there] = [linesOf(own), linesOf(first)];
  const more = [...here].find((line) => !there.has(line));
  if (more !== undefined) return `only here: ${more}`;
  const less = [...there].find((line) => !here.has(line));
  return less === undefined ? null : `only there: ${less}`;
}

function linesOf(text: string): ReadonlySet<string> {
  return new Set(text.split('\n').map((line) => line.trim()));
}
