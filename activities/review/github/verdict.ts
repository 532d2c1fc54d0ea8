import type { SubmitRequest } from '../port.ts';
import { aheadMark, reportCheck } from './checks.ts';
import type { Found, Place } from './pulls.ts';
import { giveStatus } from './status.ts';

/** The verdict of a gate, which the protection of a branch may want before it lets anybody merge. */
export interface Verdict {
  /** Says that all is well, by the status and the check of the success reporter. */
  give(): Promise<void>;
  /** Says that all is open again, if `give` was called: nothing was merged. */
  takeBack(reason: string): Promise<void>;
}

/** @param request without a pipeline, or with a reporter that gives neither, nothing is said */
export function openVerdict(place: Place, found: Found, { change, pipeline, verdict = {} }: SubmitRequest): Verdict {
  const { project, pull } = found;
  const context = `sluice/${pipeline}`;
  const { status, check } = verdict;
  const details = typeof verdict['status-url'] === 'string' ? verdict['status-url'] : place.pageOf(change);
  const say = async (states: { readonly status: unknown; readonly check: unknown }, words: string) => {
    if (pipeline === undefined) return;
    const about = { project, head: pull.head.sha, details };
    if (typeof status === 'string') {
      await giveStatus(place, { ...about, context, state: String(states.status), description: words });
    }
    if (typeof check === 'string') {
      const text = { title: words, summary: words, annotations: [] };
      await reportCheck(place, { ...about, ...text, name: context, mark: aheadMark, state: String(states.check) });
    }
  };
  let given = false;
  return {
    async give() {
      if (!given) await say({ status, check }, 'passed: to be merged now');
      given = true;
    },
    async takeBack(reason) {
      if (given) await say({ status: 'pending', check: 'in_progress' }, `passed, and is not merged: ${reason}`);
      given = false;
    },
  };
}
