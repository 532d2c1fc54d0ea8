import type { BuildOutcome } from '../jobs/state.ts';
import { resultName } from './result.ts';

/** How a task has ended, by its last build. */
export function endedAs({ result, summary = '', artifacts = [] }: Omit<BuildOutcome, 'time'>) {
  const url = artifacts.find(({ name }) => name === resultName)?.url;
  const state = result === 'SUCCESS' ? 'SUCCESS' : result === 'CANCELED' ? 'REVOKED' : 'FAILURE';
  return {
    state,
    ...(summary === '' ? {} : { reason: summary }),
    ...(url === undefined ? {} : { result: url }),
  } as const;
}
