/** Bytes of a log where nothing else is configured. */
export const usualLimit = 64 * 1024 * 1024;
/** Bytes that headings may take besides, also after the cut: the last one is the verdict. */
export const headings = 256 * 1024;
const longestTitle = 2_000;

/** The line that starts a section of a log. */
function sectionLine(title: string, time: Date): string {
  return `=== [${time.toISOString().slice(11, 19)}] ${title.replaceAll('\n', ' ')}\n`;
}

/** What of a log is written: all of it up to a limit, and of the rest the headings. */
export interface LogRoom {
  text(part: string): string;
  heading(title: string): string;
}

/** @param limit in bytes; the setting behind it is named where the log is cut */
export function createRoom(limit = usualLimit): LogRoom {
  const left = { text: limit, headings };
  let atLineStart = true;
  const keep = (part: string) => {
    atLineStart = part.endsWith('\n');
    return part;
  };
  const cut = () =>
    keep(`\n${sectionLine(`Cut: a log may have ${limit} bytes (workers.log in sluice.yaml)`, new Date())}`);
  return {
    text: (part) => {
      if (part === '' || left.text < 0) return '';
      left.text -= Buffer.byteLength(part);
      return left.text < 0 ? cut() : keep(part);
    },
    heading: (title) => {
      const line = `${atLineStart ? '' : '\n'}${sectionLine(title.slice(0, longestTitle), new Date())}`;
      left.headings -= Buffer.byteLength(line);
      return left.headings < 0 ? '' : keep(line);
    },
  };
}
