import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** Whether a workflow is running. */
export async function isOpen(client: Client, workflow: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflow).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
