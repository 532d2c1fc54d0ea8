import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { readSecret } from '../../activities/review/secret.ts';
import { createTestCallback } from '../../activities/test-service/callback.ts';
import { createExclusions } from '../../activities/test-service/exclusions.ts';
import { readTestResult } from '../../activities/test-service/stored-result.ts';
import { testPipeline } from '../../pipelines/test-service/job.ts';
import type { Records } from '../../server/port.ts';
import type { TestService } from '../../server/test-service/port.ts';
import { createTestService } from '../../server/test-service/tasks.ts';
import type { TestTaskActivities, TestTaskView } from '../../workflows/test-task-contract.ts';
import type { Common } from '../common/common.ts';
import { allPlatforms } from '../config/platforms.ts';
import { testSecret } from './test-secret.ts';

interface TestServiceParts {
  readonly client: Client;
  readonly store: Pick<Records, 'listBuilds'>;
  readonly logger: Pick<Logger, 'error'>;
}

/** The test service, where it is configured. */
export function openTestService(
  { config, blobs }: Common,
  { client, store, logger }: TestServiceParts,
): { readonly testService?: TestService } {
  const { tests, tenant, server } = config;
  if (tests === undefined) return {};
  const secret = () =>
    testSecret(tests).catch((error: Error) => {
      logger.error(error);
      throw new Error('tokens cannot be read: tests.secret is no good, as the log of the server says');
    });
  const repositories = [...tests.repositories, `${server.url}/repositories/`, `${server.url}/released/`];
  const platforms = allPlatforms(config);
  const resultOf = (view: TestTaskView) => readTestResult(blobs, view);
  const buildOf = async (task: string) =>
    (await store.listBuilds({ pipeline: testPipeline, buildSet: task, limit: 1 }))[0];
  const callback = tests.callback === undefined ? {} : { callback: tests.callback.url };
  const exclusions = tests.exclusions === undefined ? {} : { exclusions: createExclusions(tests.exclusions) };
  const deps = { client, tenant, platforms, resultOf, buildOf, secret, repositories, sources: tests.sources };
  return { testService: createTestService({ ...deps, ...callback, ...exclusions }) };
}

/** What the workflows of test tasks ask of the server. */
export function testTaskActivities({ config, blobs }: Pick<Common, 'config' | 'blobs'>): TestTaskActivities {
  const host = config.tests?.callback;
  if (host === undefined) return createTestCallback(blobs);
  return createTestCallback(blobs, { url: host.url, token: () => readSecret(host.token) });
}
