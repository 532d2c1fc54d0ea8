import { PassThrough } from 'node:stream';

/** Characters after which a line is shown though it has not ended. */
const longestLine = 8 * 1024;

/** A program's two outputs meet line by line: half a line of one does not run into the other's. */
export function wholeLines(take: (text: string) => void): PassThrough {
  let rest = '';
  return new PassThrough({ encoding: 'utf8' })
    .on('data', (part: string) => {
      const text = rest + part;
      const end = text.length > longestLine ? text.length : text.lastIndexOf('\n') + 1;
      if (end > 0) take(text.slice(0, end));
      rest = text.slice(end);
    })
    .on('end', () => {
      if (rest !== '') take(rest);
    });
}
