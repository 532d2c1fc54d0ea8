import { ApplicationFailure } from '@temporalio/common';
import { testAnswer } from '../../pipelines/test-service/answer.ts';
import { callbackUrl } from '../../pipelines/test-service/callback-url.ts';
import { apiVersion } from '../../pipelines/test-service/result.ts';
import type { TestTaskActivities } from '../../workflows/test-task-contract.ts';
import type { BlobStore } from '../ports.ts';
import { ask, type HttpPatience } from '../review/http.ts';
import { readTestResult } from './stored-result.ts';

/** The host that hears of test tasks that have ended. */
export interface CallbackHost {
  readonly url: string;
  readonly token: () => Promise<string>;
}

/** Milliseconds for one try, and further ones while it cannot be reached, or somebody on the way says so (502). */
const patience: HttpPatience = { timeout: 60_000, size: 1024 * 1024, tries: 6, pause: 1_000, longestPause: 10_000 };

/** @param host absent: requests with a callback are refused before they come here */
export function createTestCallback(blobs: Pick<BlobStore, 'read'>, host?: CallbackHost): TestTaskActivities {
  return {
    async postTestResult({ callback, view }) {
      const url = host === undefined ? undefined : callbackUrl(host.url, callback);
      if (host === undefined || url === undefined)
        throw final('no callback is configured: tests.callback in sluice.yaml');
      const { result, stats } = testAnswer(view, await readTestResult(blobs, view));
      const body = JSON.stringify({ api_version: apiVersion, result, stats });
      const headers = { authorization: `Bearer ${await host.token()}`, 'content-type': 'application/json' };
      const question = { url, method: 'POST', headers, body, repeatable: true } as const;
      // What was tried often enough here is not tried again by Temporal.
      const status = await ask(question, (answer) => answer.status, patience).catch((error: Error) => {
        throw final(error.message);
      });
      if (status < 200 || status > 299) throw final(`the callback was answered with ${status}`);
    },
  };
}

function final(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message);
}
