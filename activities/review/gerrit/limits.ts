import { cutTo } from '../cut.ts';

/** Characters that Gerrit takes in one comment, by its default limit of 16 KiB, with some room for its own words. */
const longestComment = 15_000;

/** A text as Gerrit takes it. @param rest address or command that shows the rest */
export function shortened(text: string, rest?: string): string {
  return cutTo(text, longestComment, rest);
}
