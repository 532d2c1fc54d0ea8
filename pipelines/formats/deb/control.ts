/** One paragraph of a control file: field names as dpkg writes them, continuation lines joined with newlines. */
export type Paragraph = Readonly<Record<string, string>>;

/**
 * Reads Debian control data (`Packages`, `Release`, `.dsc`): paragraphs apart by empty lines.
 *
 * Case does not count in field names (`package:` is `Package`), as dpkg has it; a line that is neither a field nor a continuation is skipped, as dpkg's
 * readers of generated indexes do.
 */
export function parseControl(text: string): Paragraph[] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .map(parseParagraph)
    .filter((paragraph) => Object.keys(paragraph).length > 0);
}

/** Reads the `debian/control` of a source, which may have lines of remarks. */
export function readSourceControl(text: string): Paragraph[] {
  return parseControl(text.replace(/^#.*(?:\n|$)/gm, ''));
}

function parseParagraph(text: string): Paragraph {
  const fields: Record<string, string> = {};
  let last = '';
  for (const line of text.split('\n')) {
    const field = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line);
    if (field?.[1] !== undefined) {
      last = fieldName(field[1]);
      fields[last] = field[2] ?? '';
    } else if (last !== '' && /^[ \t]/.test(line)) {
      fields[last] += `\n${line.slice(1)}`;
    }
  }
  return fields;
}

/** Names that are written so already: most of them, and lists have a million. */
const usual = /^(?!Sha\d+$)[A-Z][a-z\d]*(?:-[A-Z][a-z\d]*)*$/;

/** `MD5sum` of packages is `MD5Sum` in a Release file: both stay. */
function fieldName(written: string): string {
  if (usual.test(written)) return written;
  const lower = written.toLowerCase();
  if (/^sha\d+$/.test(lower)) return lower.toUpperCase();
  if (lower === 'md5sum') return written === lower ? 'MD5sum' : written;
  return lower.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

/**
 * Where programs may read control data in different ways, which a signature must not cover: some take the first of two
 * equal fields and some the last, for some a paragraph ends at a line that others pass over.
 *
 * @returns the line, with what is wrong there; undefined where all read the same
 */
export function controlFault(text: string): string | undefined {
  const seen = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    const fault = lineFault(line, seen);
    if (fault !== undefined) return `line ${index + 1} ${fault}`;
  }
  return undefined;
}

/** @param seen fields of the paragraph, in lower case */
function lineFault(line: string, seen: Set<string>): string | undefined {
  if (/\p{Cc}/u.test(line.replaceAll('\t', ''))) return 'has control characters';
  if (line === '') {
    seen.clear();
    return undefined;
  }
  const name = /^([!"$-,.-9;-~][!-9;-~]*):/.exec(line)?.[1]?.toLowerCase();
  if (name === undefined) {
    return seen.size > 0 && /^[ \t]+[^ \t]/.test(line) ? undefined : 'is neither a field nor its continuation';
  }
  if (seen.has(name)) return `has ${name} a second time`;
  seen.add(name);
  return undefined;
}
