import type { JobTests } from '../../pipelines/test-service/job-tests.ts';
import type { ThirdPartyTest } from '../../pipelines/test-service/third-party.ts';
import type { PackageReport } from './steps.ts';

/** Reads one file of a source tree; null when there is none. */
export type SourceFiles = (path: string) => Promise<string | null>;

/** A node as tests see it. */
export interface Testbed {
  /** Whether it has a kernel of its own. */
  readonly whole?: boolean;
  /** As dpkg has it; absent where nobody knows. */
  readonly architecture?: string;
  /** Starts it anew; absent where that cannot be done. */
  readonly restart?: () => Promise<void>;
}

export interface TrialSettings {
  readonly source: SourceFiles;
  /** All packages of the source that are to be installed: what a test means by `@`. Absent where nobody knows. */
  readonly siblings?: readonly string[];
  /** Tests of other projects, which are run on each package; absent: none. */
  readonly others?: readonly OtherTests[];
  /** What the node can do besides, for tests that ask for that. */
  readonly testbed?: Testbed;
  /** URLs of the released repositories, as the node has them; absent: there are none. */
  readonly released?: readonly string[];
  /** Milliseconds for each step. */
  readonly timeout: number;
  /** Gets the report of a package as its trial begins: steps are added to it as they end. */
  readonly begun?: (report: PackageReport) => void;
  readonly workdir: string;
}

/** Tests of a project, with their tree on this machine. */
export interface OtherTests {
  readonly tree: string;
  readonly given: JobTests;
  readonly tests: readonly ThirdPartyTest[];
}
