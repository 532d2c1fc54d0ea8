import { Context } from '@temporalio/activity';
import { testTaskId } from '../../workflows/ids.ts';
import { testStageSignal } from '../../workflows/messages.ts';

/** Tells the test task of the activity's build that a stage has begun; one that has ended has no use for it. */
export async function tellTestStage(
  of: { readonly tenant: string; readonly task: string },
  stage: string,
): Promise<void> {
  const { client, log } = Context.current();
  try {
    await client.workflow.getHandle(testTaskId(of)).signal(testStageSignal, stage);
  } catch (error) {
    log.warn('a test task does not hear of its stage', { stage, reason: String(error) });
  }
}
