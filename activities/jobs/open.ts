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

/** Tokens of those whose workflow has ended. */
export async function endedOf(
  client: Client,
  holding: readonly { readonly holder: string; readonly token: string }[],
): Promise<readonly string[]> {
  const looks = holding.map(async ({ holder, token }) => ((await isOpen(client, holder)) ? [] : [token]));
  return (await Promise.all(looks)).flat();
}
