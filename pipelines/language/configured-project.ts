import type { MergeMode, ProjectStanza, QueueStanza } from './stanza.ts';
import type { ProjectSource } from './tenant.ts';

/** What all stanzas about one project say together. */
export interface ConfiguredProject {
  readonly project: ProjectSource;
  /** In order of definition, those by regular expression last. */
  readonly stanzas: ProjectStanza[];
  mergeMode?: MergeMode;
  defaultBranch?: string;
  /** The queue of all branches, unless a branch has one of its own. */
  queue?: QueueStanza;
  /** Queues that a branch chooses in its own configuration. */
  branchQueues: { matches: (branch: string) => boolean; queue: QueueStanza }[];
}
