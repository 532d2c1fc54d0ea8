import { tapPasses } from './tap.ts';

/** Version of the interface that answers name. */
export const apiVersion = '20210512';

/** Exit codes of a stage that nobody has one of, and of one that took too long. */
export const exitCodes = { missing: 255, timedOut: 408 } as const;

/** What a stage of a test task left. */
export interface TestStageRecord {
  readonly exit_code?: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** When a stage ran: seconds since the epoch, and how many it took. */
export interface TestStageStats {
  readonly start_ts: number;
  readonly finish_ts: number;
  readonly delta: number;
}

/** How a stage went, in short. */
interface StageSummary {
  readonly success: boolean;
  readonly output: string;
}

/** All that came of a test task. */
export interface TestResult {
  readonly api_version: string;
  readonly result: Readonly<Record<string, TestStageRecord>>;
  readonly stats: Readonly<Record<string, TestStageStats>>;
  readonly summary: Readonly<Record<string, StageSummary>>;
  /** Tests of others that were not run, as they are excluded; absent: none. */
  readonly skipped?: readonly string[];
}

/**
 * The rule of success: the exit code decides, and one that is missing is bad; for a test its TAP where there is any,
 * unless it took too long.
 */
export function isGood(stage: string, { exit_code: code = exitCodes.missing, stdout }: TestStageRecord): boolean {
  const said = isTest(stage) && code !== exitCodes.timedOut ? tapPasses(stdout) : null;
  return said ?? code === 0;
}

/** Whether a stage is a test, and no step of ours. */
function isTest(stage: string): boolean {
  return stage.startsWith('third_party_') && !/^third_party_fetch_\d+$/.test(stage);
}

/** Characters of a stage's last words in a summary. */
const shown = 2_000;

/** What the stages of a task come to, in the order in which they ran. */
export function testResult({ result, stats, skipped = [] }: Omit<TestResult, 'api_version' | 'summary'>): TestResult {
  const summary = Object.entries(result).map(([stage, record]) => {
    const output = (record.stderr.trim() === '' ? record.stdout : record.stderr).trim().slice(-shown);
    return [stage, { success: isGood(stage, record), output }] as const;
  });
  const left = skipped.length === 0 ? {} : { skipped };
  return { api_version: apiVersion, result, stats, summary: Object.fromEntries(summary), ...left };
}

/** The name of the artifact that has all of it. */
export const resultName = 'result.json';
