import { CancellationScope } from '@temporalio/workflow';
import type { ReleaseStep } from '../activities/release/port.ts';
import type { ReleaseActivities } from '../activities/release/release-activities.ts';
import type { ReleasedPackage } from '../activities/report/types.ts';
import type { SignActivities, SignedFile } from '../activities/sign/sign-activities.ts';
import type { BlobRef, PackageFile, PackageFormat, SourceState } from '../pipelines/model/artifact.ts';
import type { ReleaseInput } from './contract.ts';

interface Hands {
  readonly steps: ReleaseActivities;
  readonly signer: SignActivities;
}

interface Publication {
  readonly input: ReleaseInput;
  readonly manifest: string;
  /** Unique for the release, and usable as a file name. */
  readonly release: string;
}

export interface Published {
  readonly packages: readonly ReleasedPackage[];
  /** The released repository; absent where an earlier version has published, or nothing was. */
  readonly repository?: string;
  /** Why nothing was published. */
  readonly refused?: string;
}

/** Signs a build, attests where each file comes from, and shows it in the released repository, whole or not at all. */
export async function publishBuild({ steps, signer }: Hands, publication: Publication): Promise<Published> {
  const { input, manifest, release } = publication;
  const { format, files } = await steps.releasedFiles({ manifest });
  const signed = await signer.signPackages({ format, files, manifest, commit: input.merged.commit });
  const step = { release, manifest, signed };
  const digests = await steps.attest({ ...step, about: input });
  const envelopes = await signer.signStatements({ digests });
  const packages = describe(format, files, { signed, envelopes });
  // From here on it may be shown at any moment: cancelled now, it would be published and nobody would know.
  const shown = await CancellationScope.nonCancellable(() =>
    show({ steps, signer }, { ...step, format, envelopes, merged: input.merged }),
  );
  const { refused, repository } = shown;
  if (refused !== undefined) return { packages: [], refused };
  return { packages, ...(repository === undefined ? {} : { repository }) };
}

interface ToShow extends ReleaseStep {
  readonly format: PackageFormat;
  readonly envelopes: readonly BlobRef[];
  readonly merged: SourceState;
}

async function show(
  { steps, signer }: Hands,
  { format, merged, ...step }: ToShow,
): Promise<Pick<Published, 'refused' | 'repository'>> {
  for (;;) {
    const staged = await steps.stageReleased(step);
    if (staged.outcome === 'refused') return { refused: staged.reason };
    const where = staged.repository === undefined ? {} : { repository: staged.repository };
    if (staged.outcome === 'unchanged') return where;
    const signatures = await signer.signIndex({ digest: staged.index.digest, ...where });
    const { published, refused } = await steps.publishReleased({ ...staged, format, signatures, merged });
    if (refused !== undefined) return { refused };
    // Another release came between: the next state is made on top of it.
    if (published) return where;
  }
}

function describe(
  format: string,
  files: readonly PackageFile[],
  made: { readonly signed: readonly SignedFile[]; readonly envelopes: readonly BlobRef[] },
): readonly ReleasedPackage[] {
  return made.signed.flatMap(({ name, after }, index) => {
    const file = files.find((one) => one.name === name);
    const envelope = made.envelopes[index];
    if (!file) return [];
    const { package: called, version, arch } = file;
    const provenance = envelope ? { provenance: envelope.digest } : {};
    return [{ format, name: called, version, arch, digest: after.digest, ...provenance }];
  });
}
