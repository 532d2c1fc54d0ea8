import type { VisibleSecret } from '../../pipelines/model/job.ts';
import type { JobSecrets, SealedSecrets } from '../../pipelines/model/secrets.ts';

/** The key pairs of projects. The private halves stay behind this port. */
export interface ProjectKeys {
  /** The public half as PEM (SubjectPublicKeyInfo); made now when the project has none. */
  publicKey(project: string): Promise<string>;
  /**
   * Opens one encrypted value.
   *
   * @param chunks base64, in order
   * @throws an Error without any content when the key does not fit
   */
  decrypt(project: string, chunks: readonly string[]): Promise<string>;
}

/** Says that a job with its secrets is as it was frozen here. */
export interface Sealer {
  seal(job: Sealable): string;
  fits(job: Sealable, seal: string): boolean;
}

/** What a seal holds together: what runs, from which state of the sources, and what it may see. */
export interface Sealable {
  /** The job's name. */
  readonly job: string;
  readonly sources: readonly { readonly project: string; readonly branch: string; readonly commit: string }[];
  readonly secrets: JobSecrets;
}

/** What a worker says to be given the secrets of the build that it runs. */
export interface SecretRequest extends Sealable {
  /** The build's id. */
  readonly build: string;
  readonly secrets: SealedSecrets;
}

/** An opened secret. It is plain text: it goes to the program that may see it, and nowhere else. */
export interface OpenedSecret extends Pick<VisibleSecret, 'secret'> {
  readonly data: Readonly<Record<string, unknown>>;
  /** Each value that was encrypted: these are not to be seen in a log. */
  readonly values: readonly string[];
}

/**
 * Opens the secrets of a running build.
 *
 * @throws Refused when no such build runs, or the job is not as it was frozen
 */
export type OpenSecrets = (request: SecretRequest) => Promise<readonly OpenedSecret[]>;

/** A request that is answered with no. */
export class Refused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Refused';
  }
}
