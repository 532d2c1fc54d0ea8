import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { PackageFile, PackageFormat, PackagesManifest } from '../../pipelines/model/artifact.ts';
import { refusedBy } from '../../pipelines/report/walls.ts';
import { type ProofDeps, prove } from '../attest/prove.ts';
import { refusal } from '../failure.ts';
import { hashing } from '../files/digest.ts';
import type { BlobStore } from '../ports.ts';
import { makeTemporary } from '../process/temporary.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { checked } from '../repository/names.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import { parseManifest } from '../storage/manifest.ts';

/** Stops what is under way with a sentence, for good. */
export function refuse(why: string): never {
  throw refusal(refusedBy('signer', why));
}

/** Reads a manifest, and believes the digest alone. */
export async function readProven(inbox: Pick<BlobStore, 'read'>, digest: string): Promise<PackagesManifest> {
  const content = await inbox.read(digest);
  const found = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  if (found !== digest) refuse(`what is stored as ${digest} is ${found}`);
  return parseManifest(content, digest);
}

/** A build that was looked up, with the file that is asked about. */
export type Proven = Exclude<Awaited<ReturnType<typeof prove>>, { readonly refused: string }>;

/** @throws a refusal when the build is not what the merged branch has. */
export async function proveBuild(deps: ProofDeps, digest: string, commit: string): Promise<Proven> {
  const proof = await prove(deps, digest, commit);
  return 'refused' in proof ? refuse(proof.refused) : proof;
}

/** The file of a build by its name. @throws a refusal when the build has no such file. */
export function fileOf({ manifest }: Proven, name: string): PackageFile {
  const file = manifest.files.find((one) => one.name === name && one.kind !== 'metadata');
  return file ?? refuse(`${name} is no file of the build ${manifest.build}`);
}

/**
 * Looks at a file itself: its digest, and for a package that it is the one that the build says.
 *
 * @returns a copy of the file, in `directory`
 */
export async function inspectFile(
  inbox: Pick<BlobStore, 'open'>,
  directory: string,
  { format, file }: { readonly format: PackageFormat; readonly file: PackageFile },
): Promise<string> {
  const path = join(directory, checked('file name', file.name));
  // A copy, not a link, and what is written is what was looked at: nobody else may change it after that.
  const hash = createHash('sha256');
  await pipeline(await inbox.open(file.digest), hashing(hash), createWriteStream(path, { flags: 'wx' }));
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== file.digest) refuse(`${file.name} is stored as ${file.digest} and is ${found}`);
  if (/\.(deb|udeb|rpm)$/.test(file.name)) await requireIdentity(path, { format, file });
  return path;
}

async function requireIdentity(
  path: string,
  { format, file }: { readonly format: PackageFormat; readonly file: PackageFile },
): Promise<void> {
  const there = await repositoryFormats[format].inspect(path).catch((error: unknown) => {
    if (error instanceof RepositoryRefusal) refuse(error.message);
    throw error;
  });
  const said = [file.package, file.version, file.arch].join(' ');
  const is = [there.name, there.version, there.arch].join(' ');
  if (said !== is) refuse(`${file.name} holds ${is}, and its build says ${said}`);
}

/** Runs `work` with a directory that is gone afterwards. */
export async function inDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await makeTemporary('sluice-sign');
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
