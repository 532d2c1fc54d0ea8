import type { SubmitRequest } from '../port.ts';
import { aheadMark, lastRun, reportCheck, runIsAt } from './checks.ts';
import type { Found, Place } from './pulls.ts';
import { giveStatus, lastStatus } from './status.ts';

/** The verdict of a gate, which the protection of a branch may want before it lets anybody merge. */
export interface Verdict {
  /** Says that all is well, by the status and the check of the success reporter. */
  give(): Promise<void>;
  /** Says that all is open again where that was the last word, of this try or of one that ended in its middle. */
  takeBack(reason: string): Promise<void>;
}

const ahead = 'passed: to be merged now';

/** @param request without a pipeline, or with a reporter that gives neither, nothing is said */
export function openVerdict(place: Place, found: Found, { change, pipeline, verdict = {} }: SubmitRequest): Verdict {
  const { project, pull } = found;
  const name = `sluice/${pipeline}`;
  const given = (value: unknown) => (pipeline !== undefined && typeof value === 'string' ? value : undefined);
  const [status, check] = [given(verdict.status), given(verdict.check)];
  const details = typeof verdict['status-url'] === 'string' ? verdict['status-url'] : place.pageOf(change);
  const about = { project, head: pull.head.sha, details };
  const sayStatus = (state: string, description: string) =>
    giveStatus(place, { ...about, context: name, state, description });
  const sayCheck = (state: string, words: string) =>
    reportCheck(place, { ...about, name, state, title: words, summary: words, mark: aheadMark, annotations: [] });
  return {
    async give() {
      if (status !== undefined) await sayStatus(status, ahead);
      if (check !== undefined) await sayCheck(check, ahead);
    },
    async takeBack(reason) {
      const words = `passed, and is not merged: ${reason}`;
      const last = status === undefined ? undefined : await lastStatus(place, { ...about, context: name });
      if (last?.description === ahead && last.state === status) await sayStatus('pending', words);
      const run = check === undefined ? undefined : await lastRun(place, { ...about, name });
      if (check !== undefined && run?.external_id === aheadMark && runIsAt(run, check))
        await sayCheck('in_progress', words);
    },
  };
}
