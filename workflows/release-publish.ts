import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  rootCause,
} from '@temporalio/workflow';
import type { SignedStep, StagedRelease } from '../activities/release/port.ts';
import type { ReleaseActivities } from '../activities/release/release-activities.ts';
import type { PreparedRelease, ReleasedPackage } from '../activities/report/types.ts';
import type { SignActivities } from '../activities/sign/sign-activities.ts';
import type { BlobRef, PackageFile, PackageFormat, SignedFile, SourceState } from '../pipelines/model/artifact.ts';
import { type ReleaseInput, refusedFault } from './contract.ts';

interface Hands {
  readonly steps: ReleaseActivities;
  readonly signer: SignActivities;
}

interface Publication {
  readonly input: ReleaseInput;
  readonly manifest: string;
  /** Builds of it for other architectures that are shown with it, in one state. */
  readonly beside: readonly string[];
  /** Unique for the release, and usable as a file name. */
  readonly release: string;
}

export interface Published {
  readonly packages: readonly ReleasedPackage[];
  /** The released repository; absent where an earlier version has published, or nothing was. */
  readonly repository?: string;
  /** What went with it, and what stays although its source makes it no more. */
  readonly notes?: readonly string[];
  /** Why nothing was published. */
  readonly refused?: string;
}

/** A build that is signed, with its packages as a record names them. */
interface Prepared {
  readonly packages: readonly ReleasedPackage[];
  readonly prepared: PreparedRelease;
}

/** Signs a build, and attests where each file comes from. */
export async function prepareBuild(
  { steps, signer }: Hands,
  publication: Omit<Publication, 'beside'>,
): Promise<Prepared> {
  const { input, manifest, release } = publication;
  const { merged } = input;
  const { files, ...of } = await steps.releasedFiles({ manifest });
  const signed = await signer.signPackages({ format: of.format, files, manifest, commit: merged.commit });
  const digests = await steps.attest({ release, manifest, signed, about: input });
  const envelopes = await signer.signStatements({ digests });
  const packages = describe(of.format, files, { signed, envelopes });
  return { packages, prepared: { ...of, manifest, merged, signed, envelopes } };
}

/**
 * Prepares a build, and shows it in the released repository, whole or not at all. Those for other architectures are
 * shown with it, or not at all with any: then it is shown alone, says why, and their own releases are to follow.
 *
 * @param hands `beside` are those that prepare the others: they give up in the end
 */
export async function publishBuild(
  { beside, ...hands }: Hands & { readonly beside: Hands },
  publication: Publication,
): Promise<Published> {
  const own = await prepareBuild(hands, publication);
  if (publication.beside.length === 0) return showAll(hands, publication, [own]);
  const { made, refused } = await prepareBeside(beside, publication);
  const together: Published =
    refused === undefined
      ? await showAll(hands, publication, [own, ...made]).catch(notPublished)
      : { packages: [], refused };
  if (together.refused === undefined) return together;
  const alone = await showAll(hands, publication, [own]);
  const note = `shown without the other architectures: ${together.refused}`;
  return alone.refused === undefined ? { ...alone, notes: [note, ...(alone.notes ?? [])] } : alone;
}

/** What goes wrong with them, whatever it is, does not hold up the first. */
async function prepareBeside(
  hands: Hands,
  publication: Publication,
): Promise<{ readonly made: readonly Prepared[]; readonly refused?: string }> {
  const made: Prepared[] = [];
  try {
    for (const manifest of publication.beside) made.push(await prepareBuild(hands, { ...publication, manifest }));
    return { made };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { made, refused: rootCause(error) ?? String(error) };
  }
}

/** A refusal is a verdict; any other error stays one. */
export function notPublished(error: unknown): Published {
  return { packages: [], ...refusal(error) };
}

async function showAll(hands: Hands, { release }: Publication, made: readonly Prepared[]): Promise<Published> {
  const [own, ...others] = made.map(({ prepared }) => prepared);
  if (own === undefined) return { packages: [] };
  const { manifest, signed, format, envelopes, merged } = own;
  const beside = others.map((one) => ({ manifest: one.manifest, signed: one.signed, envelopes: one.envelopes }));
  const step = { release, manifest, signed, ...(beside.length === 0 ? {} : { beside }) };
  // From here on it may be shown at any moment: cancelled now, it would be published and nobody would know.
  const shown = await CancellationScope.nonCancellable(() => show(hands, { ...step, format, envelopes, merged }));
  const { refused, ...where } = shown;
  const packages = made.flatMap(({ packages: these, prepared: { build } }) =>
    build === own.build ? these : these.map((one) => ({ ...one, build })),
  );
  return refused === undefined ? { packages, ...where } : { packages: [], refused };
}

interface ToShow extends SignedStep {
  readonly format: PackageFormat;
  readonly merged: SourceState;
}

async function show(
  { steps, signer }: Hands,
  { format, merged, ...step }: ToShow,
): Promise<Omit<Published, 'packages'>> {
  for (;;) {
    const staged = await steps.stageReleased(step);
    if (staged.outcome === 'refused') return { refused: staged.reason };
    const where = staged.repository === undefined ? {} : { repository: staged.repository };
    if (staged.outcome === 'unchanged') return where;
    const { notes = [], ...ready } = staged;
    const signatures = await signer.signIndex({ ...indexesOf(ready), ...where });
    const { published, refused } = await steps.publishReleased({ ...ready, format, signatures, merged });
    if (refused !== undefined) return { refused };
    // Another release came between: the next state is made on top of it.
    if (published) return { ...where, notes };
  }
}

/** What the signer is to sign. */
export function indexesOf({ index, also }: Pick<Extract<StagedRelease, { outcome: 'staged' }>, 'index' | 'also'>) {
  return { digest: index.digest, ...(also === undefined ? {} : { also }) };
}

function describe(
  format: string,
  files: readonly PackageFile[],
  made: { readonly signed: readonly SignedFile[]; readonly envelopes: readonly BlobRef[] },
): readonly ReleasedPackage[] {
  return made.signed.flatMap(({ name, after, key }, index) => {
    const file = files.find((one) => one.name === name);
    const envelope = made.envelopes[index];
    if (!file) return [];
    const { package: called, version, arch } = file;
    const provenance = envelope ? { provenance: envelope.digest } : {};
    const signed = key === undefined ? {} : { key };
    return [{ format, name: called, version, arch, digest: after.digest, ...provenance, ...signed }];
  });
}

/** What a wall said that let nothing pass: a verdict. @throws any other error as it is */
export function refusal(error: unknown): { readonly refused: string } {
  const { cause } = error instanceof ActivityFailure ? error : {};
  if (cause instanceof ApplicationFailure && cause.type === refusedFault) return { refused: cause.message };
  throw error;
}
