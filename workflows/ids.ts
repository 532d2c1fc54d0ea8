/** Workflow ids, both ways. A part may hold anything: `/` and `%` in it are escaped. */

/** A gate holds one queue of one pipeline: a shared queue's name, or a project's. */
export interface GateName {
  readonly tenant: string;
  readonly pipeline: string;
  readonly queue: string;
}

/** `key` names the build set in its gate: see `buildSetKey`. */
export interface BuildSetName {
  readonly tenant: string;
  readonly pipeline: string;
  readonly project: string;
  readonly change: string;
  readonly patchset: number;
  readonly key: string;
}

export interface JobName extends BuildSetName {
  readonly job: string;
  readonly attempt: number;
}

/** `repository` is a released repository's name, `merge` what was merged: at most one release of each. */
export interface ReleaseName {
  readonly tenant: string;
  readonly repository: string;
  readonly merge: string;
}

export function gateId(name: GateName): string {
  return join('gate', name.tenant, name.pipeline, name.queue);
}

/** @throws when `id` is not a gate's. */
export function parseGateId(id: string): GateName {
  const [tenant, pipeline, queue] = split(id, 'gate', 3);
  return { tenant, pipeline, queue } as GateName;
}

/**
 * A build set's key for the world: the gate's own, which counts the items and each item's build sets, and a token that
 * tells it from the same one in another life of the gate. Those of the first version have none.
 */
export function buildSetKey(key: string, token: string): string {
  return `${key}-${token}`;
}

/** The gate's own key in it, and the token, where it has one. */
export function splitBuildSetKey(whole: string): { readonly key: string; readonly token?: string } {
  const [key = '', token] = whole.split('-', 2);
  return token === undefined ? { key } : { key, token };
}

/** The number of the item that a build set is for: later ones of the same gate have higher ones. */
export function itemNumber(buildSetKey: string): number {
  return Number.parseInt(buildSetKey, 10) || 0;
}

export function buildSetId(name: BuildSetName): string {
  return join('buildset', ...buildSetParts(name));
}

/** @throws when `id` is not a build set's. */
export function parseBuildSetId(id: string): BuildSetName {
  return buildSetName(split(id, 'buildset', 5));
}

export function jobId(name: JobName): string {
  return join('job', ...buildSetParts(name), name.job, String(name.attempt));
}

/** @throws when `id` is not a job's. */
export function parseJobId(id: string): JobName {
  const parts = split(id, 'job', 7);
  return { ...buildSetName(parts), job: parts[5] as string, attempt: Number(parts[6]) };
}

export function releaseId(name: ReleaseName): string {
  return join('release', name.tenant, name.repository, name.merge);
}

/** @throws when `id` is not a release's. */
export function parseReleaseId(id: string): ReleaseName {
  const [tenant, repository, merge] = split(id, 'release', 3);
  return { tenant, repository, merge } as ReleaseName;
}

/** Under what a release is kept: the same commit, branch and platform may be released into several repositories. */
export function releaseRecordId({ workflow, line }: { readonly workflow: string; readonly line: string }): string {
  return `${workflow}/${join(line)}`;
}

/** A release plan: it is committed, looked at or taken back by one at a time. */
export function releasePlanId({ tenant, plan }: { readonly tenant: string; readonly plan: string }): string {
  return join('releaseplan', tenant, plan);
}

/** What a released repository says beside its packages is changed by one at a time. */
export function releaseMetadataId(of: { readonly tenant: string; readonly repository: string }): string {
  return join('releasemetadata', of.tenant, of.repository);
}

/** The id of the build that a release may need, of the build that the release's own job is. */
export function rebuildId(build: string): string {
  return `${build}-rebuild`;
}

export function mirrorId(set: string): string {
  return join('mirror', set);
}

/** @throws when `id` is not a mirror set's. */
export function parseMirrorId(id: string): string {
  return split(id, 'mirror', 1)[0] as string;
}

/** The semaphores of a tenant. */
export function semaphoresId(tenant: string): string {
  return join('semaphores', tenant);
}

/** The machines of a provider, whoever is lent them. */
export function nodesId(provider: string): string {
  return join('nodes', provider);
}

/** What of failed builds is to be held in a tenant. */
export function holdsId(tenant: string): string {
  return join('holds', tenant);
}

/** The nodes of a failed build that are held. */
export function heldId(build: string): string {
  return join('held', build);
}

/** The timer triggers of a tenant. */
export function timersId(tenant: string): string {
  return join('timers', tenant);
}

export function reviewSyncId(connection: string): string {
  return join('review-sync', connection);
}

/** The schedule that mends what was left behind in a tenant, and its workflows. */
export function sweepId(tenant: string): string {
  return join('sweep', tenant);
}

/** The schedule that removes old snapshots from a tenant's mirrors, and its workflows. */
export function mirrorRetentionId(tenant: string): string {
  return join('mirror-retention', tenant);
}

/** The schedule that prepares the machines of a host anew, and its workflows; with a platform, of that alone. */
export function snapshotPreparationId(host: string, platform?: string): string {
  return join('snapshot-preparation', host, ...(platform === undefined ? [] : [platform]));
}

/** The schedule that removes what is old of a host's snapshots, and its workflows. */
export function snapshotExpiryId(host: string): string {
  return join('snapshot-expiry', host);
}

/** The debug session of a build's kept machines: one at a time. */
export function debugId(host: string, build: string): string {
  return join('debug', host, build);
}

export function snapshotListId(host: string): string {
  return join('snapshot-list', host);
}

/** A package that is tested by request. */
export function testTaskId({ tenant, task }: { readonly tenant: string; readonly task: string }): string {
  return join('test', tenant, task);
}

function buildSetParts(name: BuildSetName): string[] {
  return [name.tenant, name.pipeline, name.project, `${name.change},${name.patchset}`, name.key];
}

function buildSetName(parts: readonly string[]): BuildSetName {
  const [tenant, pipeline, project, change, key] = parts as [string, string, string, string, string];
  const comma = change.lastIndexOf(',');
  const patchset = Number(change.slice(comma + 1));
  return { tenant, pipeline, project, change: change.slice(0, comma), patchset, key };
}

function join(...parts: readonly string[]): string {
  return parts.map((part) => part.replace(/[%/]/g, (found) => (found === '%' ? '%25' : '%2F'))).join('/');
}

function split(id: string, kind: string, count: number): string[] {
  const [found, ...parts] = id.split('/');
  if (found !== kind || parts.length !== count) throw new RangeError(`not the id of a ${kind}: ${id}`);
  return parts.map((part) => part.replace(/%2F/g, '/').replace(/%25/g, '%'));
}
