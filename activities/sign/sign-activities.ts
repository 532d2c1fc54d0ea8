import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseControl } from '../../pipelines/formats/deb/control.ts';
import {
  type BlobRef,
  digestSchema,
  type PackageFile,
  type PackageFormat,
  type SignedFile,
} from '../../pipelines/model/artifact.ts';
import { canonicalJson } from '../../pipelines/model/canonical.ts';
import { claimsOf, dssePayload, type Envelope, provenance, type Statement } from '../../pipelines/model/provenance.ts';
import { isFormats, lineOf, type ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { ProofDeps } from '../attest/prove.ts';
import type { BlobStore } from '../ports.ts';
import type { IndexSigner } from '../repository/port.ts';
import type { ArchiveKeys } from './archive-keys.ts';
import { OpaqueIndex, offeredFiles } from './check-index.ts';
import { createArchiveSigner } from './gpg.ts';
import { fileOf, inDirectory, inspectFile, type Proven, proveBuild, readProven, refuse } from './inspect-build.ts';
import { keep, type Ledger } from './ledger.ts';
import { KeyAway, KeyRefused } from './signing-key/port.ts';

export interface SignDeps {
  readonly keys: ArchiveKeys;
  /** Where content to sign is read from. */
  readonly inbox: Pick<BlobStore, 'read' | 'open'>;
  /** Where signed content is shown to others: the signer's own directory, which they only read. */
  readonly outbox: Pick<BlobStore, 'put' | 'has'>;
  /** What the signer looks up by itself, whatever others say. */
  readonly proof: Omit<ProofDeps, 'manifest'>;
  readonly ledger: Ledger;
  /** Which released repository a file may be in: the signer's own look at the configuration. */
  readonly rules: ReleaseRules;
}

/** Packages of one build, and the commit of the merged branch that they are released for. */
export interface SignRequest {
  readonly format: PackageFormat;
  readonly files: readonly PackageFile[];
  readonly manifest?: string;
  readonly commit?: string;
}

/** Where the signatures of indexes are, and the key that checks them. */
export interface SignedIndexes {
  readonly detached: BlobRef;
  readonly clear: BlobRef;
  readonly publicKey: BlobRef;
  /** Of the further indexes, in their order; absent where there are none. */
  readonly also?: readonly Pick<SignedIndexes, 'detached' | 'clear'>[];
}

/**
 * What the signer does for others: content goes in and comes out by digest, and the key stays. It believes nobody:
 * what it signs was attested by a worker, and its tree is one that the merged branch has, as the host's own repository
 * says. Anything else is refused for good.
 */
export function createSignActivities(deps: SignDeps) {
  const { keys } = deps;
  const signer = orEnd(createArchiveSigner(keys));
  // Whoever reads a statement later has one key to know.
  const first = orEnd(createArchiveSigner({ ...keys, sign: [keys.sign[0]] }));
  const proofDeps = { ...deps.proof, manifest: (digest: string) => readProven(deps.inbox, digest) };
  const provenBuild = (manifest: string, commit: string) => proveBuild(proofDeps, manifest, commit);
  return {
    /** Signing the same content again gives what the first time gave. */
    async signPackages({ format, files, manifest, commit }: SignRequest): Promise<readonly SignedFile[]> {
      if (manifest === undefined || commit === undefined) refuse('nobody says which build and which merge this is');
      const proven = await provenBuild(manifest, commit);
      if (proven.manifest.format !== format) refuse(`the build is of ${proven.manifest.format} packages`);
      const signed: SignedFile[] = [];
      for (const asked of files) {
        const file = fileOf(proven, asked.name);
        if (file.digest !== asked.digest) refuse(`${file.name} of the build is ${file.digest}, not ${asked.digest}`);
        signed.push(await signFile(deps, { format, file, sign: signer.package }));
      }
      return signed;
    },

    /**
     * Signs a Release file or a repomd.xml, if every package that it leads to has a statement that was signed here, and
     * belongs to its repository by platform and branch.
     */
    async signIndex(input: {
      readonly digest: string;
      /** Further indexes of the repository, which are looked at in the same way. */
      readonly also?: readonly string[];
      /** Absent: one that bears a format's name. */
      readonly repository?: string;
    }): Promise<SignedIndexes> {
      const { digest, also = [], repository } = input;
      const texts = await Promise.all([digest, ...also].map(async (one) => (await readExactly(deps, one)).toString()));
      for (const text of texts) await requireStated(deps, text, repository);
      const [own, ...others] = await Promise.all(texts.map((text) => signText(deps, signer, text)));
      if (own === undefined) throw new Error('nothing was signed');
      const publicKey = await deps.outbox.put(await signer.publicKey());
      return { ...own, publicKey, ...(others.length === 0 ? {} : { also: others }) };
    },

    /** Puts provenance statements into signed envelopes, in the same order; each must be what the signer itself finds. */
    async signStatements(input: { readonly digests: readonly string[] }): Promise<readonly BlobRef[]> {
      const made: BlobRef[] = [];
      for (const digest of input.digests) {
        const text = (await readExactly(deps, digest)).toString();
        const found = await requireTrue(deps, text, provenBuild);
        const { payload, toSign, payloadType } = dssePayload(text);
        const sig = Buffer.from(await first.detach(toSign)).toString('base64');
        const envelope: Envelope = { payload, payloadType, signatures: [{ keyid: keys.sign[0].id, sig }] };
        await deps.ledger.add(found.sha256, found.entry, found.repository);
        made.push(await deps.outbox.put(`${JSON.stringify(envelope)}\n`));
      }
      return made;
    },
  };
}

async function signText({ outbox }: SignDeps, signer: IndexSigner, text: string) {
  const made = await Promise.all([signer.detach(text), signer.clear(text)]);
  const [detached, clear] = await Promise.all(made.map((one) => outbox.put(one)));
  if (!detached || !clear) throw new Error('the outbox answered with nothing');
  return { detached, clear };
}

export type SignActivities = ReturnType<typeof createSignActivities>;

/** Where no other try helps a key, what asked for it ends with the reason; a key that is away is asked again. */
function orEnd({ detach, clear, publicKey, package: sign }: IndexSigner): IndexSigner {
  const ending =
    <A, T>(work: (...args: A[]) => Promise<T>) =>
    (...args: A[]) =>
      work(...args).catch((error): never => {
        if (error instanceof KeyRefused && !(error instanceof KeyAway)) refuse(error.message);
        throw error;
      });
  return { detach: ending(detach), clear: ending(clear), publicKey, package: ending(sign) };
}

async function readExactly({ inbox }: SignDeps, digest: string): Promise<Buffer> {
  const content = await inbox.read(digest);
  const found = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return found === digest ? content : refuse(`what is stored as ${digest} is ${found}`);
}

/** @throws a refusal naming the first file that an index offers and nothing was signed for. */
async function requireStated(deps: SignDeps, text: string, repository = 'deb'): Promise<void> {
  requireLine(deps, text, repository);
  try {
    const offered = await offeredFiles(text, (sha256) => readExactly(deps, `sha256:${sha256}`));
    for (const { name, sha256 } of offered) {
      if (!(await deps.ledger.has(sha256, repository))) refuse(`the index offers ${name}, ${unstated(repository)}`);
    }
  } catch (error) {
    if (error instanceof OpaqueIndex) refuse(error.message);
    throw error;
  }
}

function unstated(repository: string): string {
  const where = isFormats(repository) ? '' : ` for ${repository}`;
  return `which has no statement that was signed here${where}`;
}

/** An index is of the repository that is spoken of, as far as it can tell: an APT one bears its distribution's name. */
function requireLine({ rules }: SignDeps, text: string, repository: string): void {
  if (isFormats(repository)) return;
  const line = rules.lines.find(({ name }) => name === repository);
  if (line === undefined) refuse(`no line of this configuration is called ${JSON.stringify(repository)}`);
  if (line.codename === '' || text.trimStart().startsWith('<')) return;
  const codename = parseControl(text)[0]?.Codename;
  if (codename !== line.codename) refuse(`the index is of ${codename}, and ${repository} is ${line.codename}`);
}

/** Looks up everything that a statement says; it must then be the very one that comes out. */
async function requireTrue(
  deps: SignDeps,
  text: string,
  proven: (manifest: string, commit: string) => Promise<Proven>,
) {
  const said = JSON.parse(text) as Statement;
  const claims = claimsOf(said);
  if (claims === null) refuse('this is no statement about a package that was merged');
  const build = await proven(claims.manifest, claims.commit);
  const file = fileOf(build, claims.file);
  const after = (await releasedAs(deps, file)).digest;
  const { tip: _, ...merged } = build.merged;
  const { manifest } = build;
  const found = provenance({ manifest, digest: claims.manifest, file, released: after, merged });
  if (canonicalJson(found) !== canonicalJson(said)) refuse(`the statement about ${file.name} says what is not so`);
  const entry = { file: file.name, from: merged, manifest: claims.manifest, time: new Date().toISOString() };
  const { format, platform } = manifest;
  const { repository } = lineOf(deps.rules, { format, platform, branch: merged.branch });
  return { sha256: after.replace('sha256:', ''), entry, repository };
}

/** What was made of a file, and what the signer found it to be. */
interface SignedRecord extends BlobRef {
  /** Absent where it was signed before identities were looked at. */
  readonly identity?: string;
}

/** What a file of a build became; it must have been looked at, and signed where files are. */
async function releasedAs({ keys }: SignDeps, file: PackageFile): Promise<BlobRef> {
  const known = await readSigned(keys.home, file.digest);
  return known?.identity === identityOf(file) ? known : refuse(`${file.name} was not signed here`);
}

interface FileToSign {
  readonly format: PackageFormat;
  readonly file: PackageFile;
  readonly sign: (path: string) => Promise<void>;
}

async function signFile(deps: SignDeps, { format, file, sign }: FileToSign): Promise<SignedFile> {
  const { name, digest, size } = file;
  const before = { digest, size };
  const known = await readSigned(deps.keys.home, digest);
  const made = known !== null && (format !== 'rpm' || (await deps.outbox.has(known.digest))) ? known : null;
  if (made?.identity === identityOf(file)) return { name, before, after: { digest: made.digest, size: made.size } };
  const after = await inDirectory(async (directory): Promise<BlobRef> => {
    const path = await inspectFile(deps.inbox, directory, { format, file });
    if (format !== 'rpm') return before;
    if (made !== null) return { digest: made.digest, size: made.size };
    await sign(path);
    return deps.outbox.put({ path });
  });
  const record: SignedRecord = { ...after, identity: identityOf(file) };
  await keep(signedPath(deps.keys.home, digest), JSON.stringify(record));
  return { name, before, after };
}

function identityOf({ name, package: called, version, arch }: PackageFile): string {
  return JSON.stringify([name, called, version, arch]);
}

async function readSigned(home: string, digest: string): Promise<SignedRecord | null> {
  const text = await readFile(signedPath(home, digest), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as SignedRecord);
}

function signedPath(home: string, digest: string): string {
  return join(home, 'signed', digestSchema.parse(digest).replace('sha256:', ''));
}
