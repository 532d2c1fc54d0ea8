import type { FrozenJob, VisibleSecret } from './job.ts';

/** What a job says about its secrets: cipher text by digest, and who may see what. Nothing in it is secret. */
export interface JobSecrets {
  readonly uses: readonly StoredSecret[];
  /** All that the job has: one that sees nothing matters to those that do. */
  readonly playbooks: readonly SeeingPlaybook[];
  readonly exposure: NonNullable<FrozenJob['secretExposure']>;
}

/** With the seal of whoever froze the job: who opens secrets opens them for a sealed job only. */
export interface SealedSecrets extends JobSecrets {
  readonly seal: string;
}

export interface SeeingPlaybook {
  readonly project: string;
  readonly branch: string;
  readonly path: string;
  readonly secrets: readonly VisibleSecret[];
}

/** The cipher text of a secret in artifact storage. */
export interface StoredSecret {
  readonly secret: string;
  /** The project whose key it is encrypted with. */
  readonly project: string;
  readonly encrypted: string;
}

/** @returns undefined for a job without secrets, or with some that are not stored */
export function secretsOf(job: FrozenJob): JobSecrets | undefined {
  const uses = job.secrets.flatMap(({ secret, project, encrypted }) =>
    encrypted === undefined ? [] : [{ secret, project, encrypted }],
  );
  if (uses.length === 0) return undefined;
  const playbooks = [...job.preRun, ...job.run, ...job.postRun].map(({ project, branch, path, secrets = [] }) => ({
    project,
    branch,
    path,
    secrets,
  }));
  return { uses, playbooks, exposure: job.secretExposure ?? 'redact' };
}

export function sealedSecretsOf(job: FrozenJob): SealedSecrets | undefined {
  const secrets = secretsOf(job);
  return secrets === undefined || job.seal === undefined ? undefined : { ...secrets, seal: job.seal };
}
