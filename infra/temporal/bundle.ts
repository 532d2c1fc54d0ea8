import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';

const entry = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

/** Bundles the workflows from their sources: half a second, once for each process that runs workflows. */
export function bundleWorkflows(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({ workflowsPath: entry, logger: new DefaultLogger('ERROR') });
}
