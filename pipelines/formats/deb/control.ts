/** One paragraph of a control file: field names as written, continuation lines joined with newlines. */
export type Paragraph = Readonly<Record<string, string>>;

/**
 * Reads Debian control data (`Packages`, `Release`, `.dsc`): paragraphs apart by empty lines.
 *
 * Field names are kept as written; a line that is neither a field nor a continuation is skipped, as dpkg's
 * readers of generated indexes do.
 */
export function parseControl(text: string): Paragraph[] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .map(parseParagraph)
    .filter((paragraph) => Object.keys(paragraph).length > 0);
}

function parseParagraph(text: string): Paragraph {
  const fields: Record<string, string> = {};
  let last = '';
  for (const line of text.split('\n')) {
    const field = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line);
    if (field?.[1] !== undefined && !/^\s/.test(line)) {
      last = field[1];
      fields[last] = field[2] ?? '';
    } else if (last !== '' && /^[ \t]/.test(line)) {
      fields[last] += `\n${line.slice(1)}`;
    }
  }
  return fields;
}
