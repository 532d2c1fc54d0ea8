import { createHash } from 'node:crypto';
import { inMarkdown } from '../../pipelines/report/markdown.ts';
import { cutTo, showing } from './cut.ts';
import { type Mark, readMark, type Word, withMark } from './mark.ts';
import type { ReviewReport } from './port.ts';

/** Sluice's own comments, for hosts where one for a pipeline and a patch set is kept true. */

export interface OwnComment {
  readonly id: number;
  readonly mark: Mark;
}

/** Characters of a comment. */
const longest = 60_000;

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

interface Told {
  readonly id: number;
  readonly by: string | undefined;
  readonly body: string;
}

/** Those that Sluice wrote: a mark that somebody else has written is theirs. */
export function ownComments(self: string, comments: readonly Told[]): readonly OwnComment[] {
  return comments.flatMap(({ id, by, body }) => {
    const mark = by === self ? readMark(body) : null;
    return mark === null ? [] : [{ id, mark }];
  });
}

/**
 * One comment for a pipeline and a patch set: what is said last stands there.
 *
 * @param page address of Sluice's pages; empty where it has none
 * @returns the text, and the comment that it replaces
 */
export function nextComment(
  said: ReviewReport,
  comments: readonly OwnComment[],
  page: string,
): { readonly body: string; readonly before: OwnComment | undefined } {
  const about = hashOf(JSON.stringify([said.about?.pipeline ?? said.key, said.patchset]));
  const before = comments.findLast(({ mark }) => mark.about === about);
  const keys = [...(before?.mark.keys ?? []), hashOf(said.key)].slice(-64);
  const text = bounded(inMarkdown(said.message), showing(page, said.change));
  return { body: withMark(text, { about, keys, word: wordOf(said) }), before };
}

/** What a report says of which pipeline. */
export function wordOf({ about, patchset }: ReviewReport): Word | undefined {
  return about === undefined ? undefined : { pipeline: about.pipeline, action: about.action, patchset };
}

/** A text as a comment can hold it: whole characters, not too many. @param rest address or command that shows the rest */
export function bounded(text: string, rest?: string): string {
  return cutTo(text, longest, rest);
}

/** Of a message, as a status says it. */
export function firstLine(message: string): string {
  return (message.split('\n', 1)[0] ?? '').slice(0, 140).toWellFormed();
}

/** A text, or a list of them, as a reporter's body has names. */
export function namesIn(value: unknown): string[] {
  return [value ?? []].flat().filter((each): each is string => typeof each === 'string');
}
