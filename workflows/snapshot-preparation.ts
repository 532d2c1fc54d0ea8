import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ApplicationFailure, executeChild, isCancellation, rootCause, setCurrentDetails } from '@temporalio/workflow';
import { snapshotPreparationId } from './ids.ts';
import { requireId, requireInput, requireScheduledId } from './input.ts';
import { askHost, workOnHost } from './snapshot-activities.ts';
import type { PreparedSnapshot, SnapshotPreparationInput } from './snapshots-contract.ts';

/**
 * Prepares the machines of a platform, or of all platforms: started by a schedule every night, by the server when it
 * starts, and by people. Where it fails it ends as failed, which is the alarm in Temporal, and what there was stays.
 */
export async function snapshotPreparation(input: SnapshotPreparationInput): Promise<readonly PreparedSnapshot[]> {
  requireInput('snapshotPreparation', input);
  const { host, platform, missing } = input;
  if (platform !== null) {
    requireId(snapshotPreparationId(host, platform));
    return [await workOnHost(host).prepareSnapshot({ platform, missing })];
  }
  requireScheduledId(snapshotPreparationId(host));
  const prepared: PreparedSnapshot[] = [];
  const failed: string[] = [];
  for (const each of await askHost(host).virtualPlatforms()) {
    const outcome = await prepareOne({ ...input, platform: each });
    if (typeof outcome === 'string') failed.push(`${each}: ${outcome}`);
    else prepared.push(...outcome);
    setCurrentDetails(`${prepared.length} done${failed.map((line) => `\n\n**failed** ${line}`).join('')}`);
  }
  if (failed.length === 0) return prepared;
  const message = `not prepared, and the machines of before stay: ${failed.join('; ')}`;
  throw ApplicationFailure.nonRetryable(message, 'NotPrepared');
}

/** One platform in a workflow of its own, for there is one at a time. @returns why it failed, where it did */
async function prepareOne(
  input: SnapshotPreparationInput & { readonly platform: string },
): Promise<readonly PreparedSnapshot[] | string> {
  const { host, platform } = input;
  try {
    return await executeChild<(input: SnapshotPreparationInput) => Promise<readonly PreparedSnapshot[]>>(
      'snapshotPreparation',
      {
        workflowId: snapshotPreparationId(host, platform),
        args: [input],
        staticSummary: `Prepare the machines of ${platform}`,
      },
    );
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return [];
    if (isCancellation(error)) throw error;
    return rootCause(error) ?? String(error);
  }
}
