import type { Keep } from '../../pipelines/mirror/retention.ts';
import type { SyncWindow } from '../../pipelines/mirror/window.ts';

/** One set as the configuration has it: paths absolute, times in seconds. */
export interface MirrorSet {
  readonly name: string;
  readonly source: string;
  readonly snapshots: string;
  /** `snapshots`: each is a whole tree. `pool`: the packages of all of them stand in one. Default `snapshots`. */
  readonly layout?: 'snapshots' | 'pool' | undefined;
  readonly heads: readonly string[];
  readonly commit: 'all' | 'any';
  readonly keep: Keep;
  /** Snapshots that stay however old they are. Default 0. */
  readonly keepAtLeast?: number | undefined;
  readonly init: boolean;
  readonly timeout: number;
  /** Bytes that each transfer moves in a second at most. Default: no limit. */
  readonly bandwidth?: number | undefined;
  /** When syncs may begin. Default: always. */
  readonly window?: SyncWindow | undefined;
  readonly hooks?: MirrorHooks | undefined;
  readonly verify?: { readonly key: string } | undefined;
  readonly hosts: Readonly<Record<string, MirrorHostConfig>>;
}

/** Commands of a set's owner around what changes its mirrors. */
interface MirrorHooks {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  /** Seconds that each may take. */
  readonly timeout: number;
}

export interface MirrorHostConfig {
  readonly url: string;
  readonly identity?: string | undefined;
  readonly knownHosts?: string | undefined;
}

/** What a command on a set works with. */
export interface MirrorContext {
  /** Where the state of all sets is kept: `mirrors/` in the data directory. */
  readonly state: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Whoever asked keeps a record of the transaction; else it is written down for the server to find. */
  readonly recorded?: boolean;
}

/** Why something on a mirror did not work; `code` is as users see it: `rsync:11`, `timeout`, `locked`, … */
export class MirrorError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'MirrorError';
    this.code = code;
  }
}
