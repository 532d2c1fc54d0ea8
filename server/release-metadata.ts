import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { BlobStore } from '../activities/ports.ts';
import type { ExtrasWish } from '../activities/repository/extras.ts';
import type { Actor } from '../pipelines/model/actor.ts';
import { type ReleaseRules, repositoriesIn } from '../pipelines/model/release-line.ts';
import { demand } from '../pipelines/policy/access.ts';
import { type ReleaseMetadataInput, type ReleasePlanOutcome, taskQueues } from '../workflows/contract.ts';
import { releaseMetadataId } from '../workflows/ids.ts';
import { attributes } from '../workflows/search-attributes.ts';
import { unknownName } from './api/unknown-name.ts';
import type { Refusal } from './release-plans.ts';

/** What came of it, in a sentence and what is to be known of it, a line each. */
export interface MetadataDone {
  readonly repository: string;
  readonly summary: string;
}

/**
 * Gives a released repository advisories, groups or modules; ends when they are shown.
 *
 * @throws `UnknownName` for a repository that is not there
 */
export type GiveMetadata = (actor: Actor, repository: string, wish: ExtrasWish) => Promise<MetadataDone | Refusal>;

export interface ReleaseMetadataDeps {
  readonly client: Client;
  readonly tenant: string;
  readonly rules: ReleaseRules;
  readonly blobs: Pick<BlobStore, 'put'>;
}

export function createReleaseMetadata({ client, tenant, rules, blobs }: ReleaseMetadataDeps): GiveMetadata {
  return async (actor, repository, { given, remove }) => {
    demand(actor, 'release', { name: repository });
    const all = repositoriesIn(rules);
    if (!all.includes(repository)) throw unknownName('line', repository, all);
    const stored = given.map(async ({ kind, from, text }) => {
      return { kind, name: from, digest: (await blobs.put(text)).digest };
    });
    const extras = { given: await Promise.all(stored), remove };
    try {
      const { ok, summary } = await execute(client, { tenant, repository, extras, by: actor.name });
      return ok ? { repository, summary } : { ok, reason: summary };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return { ok: false, reason: `${repository} is being given others: try again when that is done` };
    }
  };
}

function execute(client: Client, input: ReleaseMetadataInput): Promise<ReleasePlanOutcome> {
  const { tenant, repository, by } = input;
  return client.workflow.execute<(input: ReleaseMetadataInput) => Promise<ReleasePlanOutcome>>('releaseMetadata', {
    workflowId: releaseMetadataId({ tenant, repository }),
    taskQueue: taskQueues.control,
    args: [input],
    staticSummary: `Metadata of ${repository}, by ${by}`,
    staticDetails: 'Its next state, with other advisories, groups or modules, is made, signed and shown.',
    typedSearchAttributes: attributes({ tenant }),
  });
}
