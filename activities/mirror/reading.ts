import { withShownState } from '../repository/shown-state.ts';
import type { Base } from './command.ts';
import { openSource, type Source } from './freeze.ts';
import { asMirrorError } from './session.ts';
import type { MirrorError } from './types.ts';

/** The source while it is read. */
export interface Reading {
  /** Names what it holds, as soon as that is known; null where it cannot be read. */
  readonly digest: Promise<string | null>;
  /** The source once it is checked, or why it cannot be published. */
  readonly source: Promise<Source | MirrorError>;
}

/** Runs `work` while the source is read and checked: hosts can be looked at meanwhile. */
export function withSource<T>({ set, state, context }: Base, work: (reading: Reading) => Promise<T>): Promise<T> {
  return withShownState(set.source, async (shown) => {
    const opened = openSource({ set, directory: state.directory, shown });
    const digest = opened.then(
      (source) => source.digest,
      () => null,
    );
    const source = opened
      .then(({ check }) => check())
      .then((checked) => {
        context.log(`the source of ${set.name}: ${checked.said}`);
        return checked;
      }, asMirrorError);
    try {
      return await work({ digest, source });
    } finally {
      await source;
    }
  });
}
