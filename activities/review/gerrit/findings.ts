import type { LineComment } from '../../../pipelines/model/line-comment.ts';
import { shortened } from './limits.ts';
import type { Gerrit } from './lookup.ts';
import { nameOf } from './map.ts';
import { commentsSchema, type GerritChange } from './schema.ts';

/** Comments on lines in one report. */
const mostComments = 200;

/**
 * Those of the comments that Sluice has not made on the change before, on whatever patch set: what still stands is not
 * said again, though its line may be another.
 */
export async function notYetSaid(
  gerrit: Gerrit,
  { project, _number: number }: GerritChange,
  comments: readonly LineComment[],
): Promise<readonly LineComment[]> {
  if (comments.length === 0) return [];
  const answer = await gerrit.client.read(`/changes/${encodeURIComponent(project)}~${number}/comments`);
  const said = Object.entries(commentsSchema.parse(answer ?? {})).flatMap(([file, all]) =>
    all.flatMap(({ author, message = '' }) =>
      author !== undefined && nameOf(author) === gerrit.own ? [keyOf({ file, message })] : [],
    ),
  );
  return comments.slice(0, mostComments).filter((comment) => {
    const at = said.indexOf(keyOf(comment));
    if (at >= 0) said.splice(at, 1);
    return at < 0;
  });
}

/** As Gerrit takes them. Resolved, for it counts those that are not before it merges. */
export function onLines(comments: readonly LineComment[]): Readonly<Record<string, readonly object[]>> {
  const byFile = Map.groupBy(comments, ({ file }) => file);
  const said = ({ line, message }: LineComment) => {
    return { ...(line === undefined ? {} : { line }), message: shortened(message), unresolved: false };
  };
  return Object.fromEntries([...byFile].map(([file, all]) => [file, all.map(said)]));
}

function keyOf({ file, message }: Pick<LineComment, 'file' | 'message'>): string {
  return JSON.stringify([file, shortened(message).trim()]);
}
