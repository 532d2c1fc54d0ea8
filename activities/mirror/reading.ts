import { withShownState } from '../repository/shown-state.ts';
import type { Base } from './command.ts';
import { openSource, type Source } from './freeze.ts';
import { asMirrorError } from './session.ts';
import type { MirrorError } from './types.ts';

/** The source, or why it cannot be published, as soon as that is known. */
type Reading = Promise<Source | MirrorError>;

/** Runs `work` while the source is read: hosts can be looked at meanwhile. */
export function withSource<T>({ set, state, context }: Base, work: (read: Reading) => Promise<T>): Promise<T> {
  return withShownState(set.source, async (shown) => {
    const read: Reading = openSource({ set, directory: state.directory, shown }).then((source) => {
      context.log(`the source of ${set.name}: ${source.said}`);
      return source;
    }, asMirrorError);
    try {
      return await work(read);
    } finally {
      await read;
    }
  });
}
