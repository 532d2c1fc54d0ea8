import { createHash } from 'node:crypto';
import { parseControl } from '../../pipelines/formats/deb/control.ts';
import type { BlobRef, PackageFile, PackageFormat, SignedFile } from '../../pipelines/model/artifact.ts';
import { canonicalJson } from '../../pipelines/model/canonical.ts';
import { claimsOf, dssePayload, type Envelope, provenance, type Statement } from '../../pipelines/model/provenance.ts';
import { isFormats, lineOf, type ReleaseRules } from '../../pipelines/model/release-line.ts';
import { refusedBy } from '../../pipelines/report/walls.ts';
import type { ProofDeps } from '../attest/prove.ts';
import { endingForGood } from '../for-good.ts';
import type { BlobStore } from '../ports.ts';
import type { IndexSigner } from '../repository/port.ts';
import type { ArchiveKeys } from './archive-keys.ts';
import { OpaqueIndex, offeredFiles } from './check-index.ts';
import { createArchiveSigner } from './gpg.ts';
import { fileOf, inDirectory, inspectFile, type Proven, proveBuild, readProven, refuse } from './inspect-build.ts';
import type { Ledger } from './ledger.ts';
import { createRepositorySigners, type RepositorySigner } from './repository-signers.ts';
import { identityOf, keepSigned, readSigned, type SignedRecord } from './signed-records.ts';

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
  const signerOf = createRepositorySigners(keys, deps.rules);
  // Whoever reads a statement later has one key to know.
  const first = createArchiveSigner({ ...keys, sign: [keys.sign[0]] });
  const proofDeps = { ...deps.proof, manifest: (digest: string) => readProven(deps.inbox, digest) };
  const provenBuild = (manifest: string, commit: string) => proveBuild(proofDeps, manifest, commit);
  const activities = {
    /** Signing the same content again gives what the first time gave. */
    async signPackages({ format, files, manifest, commit }: SignRequest): Promise<readonly SignedFile[]> {
      if (manifest === undefined || commit === undefined) refuse('nobody says which build and which merge this is');
      const proven = await provenBuild(manifest, commit);
      if (proven.manifest.format !== format) refuse(`the build is of ${proven.manifest.format} packages`);
      const by = signerOf(repositoryOf(deps, proven));
      const signed: SignedFile[] = [];
      for (const asked of files) {
        const file = fileOf(proven, asked.name);
        if (file.digest !== asked.digest) refuse(`${file.name} of the build is ${file.digest}, not ${asked.digest}`);
        signed.push(await signFile(deps, { format, file, by }));
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
      const name = repository ?? formatOf(texts[0] ?? '');
      for (const text of texts) await requireStated(deps, text, name);
      const signer = signerOf(name);
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
        const found = await requireTrue(deps, text, { provenBuild, signerOf });
        const { payload, toSign, payloadType } = dssePayload(text);
        const sig = Buffer.from(await first.detach(toSign)).toString('base64');
        const envelope: Envelope = { payload, payloadType, signatures: [{ keyid: keys.sign[0].id, sig }] };
        await deps.ledger.add(found.sha256, found.entry, found.repository);
        made.push(await deps.outbox.put(`${JSON.stringify(envelope)}\n`));
      }
      return made;
    },
  };
  return endingForGood(activities, (why) => refusedBy('signer', why));
}

async function signText({ outbox }: SignDeps, signer: IndexSigner, text: string) {
  const made = await Promise.all([signer.detach(text), signer.clear(text)]);
  const [detached, clear] = await Promise.all(made.map((one) => outbox.put(one)));
  if (!detached || !clear) throw new Error('the outbox answered with nothing');
  return { detached, clear };
}

export type SignActivities = ReturnType<typeof createSignActivities>;

async function readExactly({ inbox }: SignDeps, digest: string): Promise<Buffer> {
  const content = await inbox.read(digest);
  const found = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return found === digest ? content : refuse(`what is stored as ${digest} is ${found}`);
}

/** @throws a refusal naming the first file that an index offers and nothing was signed for. */
async function requireStated(deps: SignDeps, text: string, repository: string): Promise<void> {
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

function formatOf(text: string): PackageFormat {
  return text.trimStart().startsWith('<') ? 'rpm' : 'deb';
}

/** An index is of the repository that is spoken of, as far as it can tell: an APT one bears its distribution's name. */
function requireLine({ rules }: SignDeps, text: string, repository: string): void {
  const line = rules.lines.find(({ name }) => name === repository);
  if (line === undefined && !isFormats(repository)) {
    refuse(`no line of this configuration is called ${JSON.stringify(repository)}`);
  }
  const format = formatOf(text);
  const ofLine = line?.codename === '' ? 'rpm' : 'deb';
  const own = line === undefined ? repository : ofLine;
  if (format !== own) refuse(`the index is of ${format} packages, and ${repository} has ${own} ones`);
  if (line === undefined || own === 'rpm') return;
  const codename = parseControl(text)[0]?.Codename;
  if (codename !== line.codename) refuse(`the index is of ${codename}, and ${repository} is ${line.codename}`);
}

interface Lookups {
  provenBuild(manifest: string, commit: string): Promise<Proven>;
  signerOf(repository: string): RepositorySigner;
}

/** The released repository that a build goes into. */
function repositoryOf({ rules }: SignDeps, { manifest: { format, platform }, merged: { branch } }: Proven): string {
  return lineOf(rules, { format, platform, branch }).repository;
}

/** Looks up everything that a statement says; it must then be the very one that comes out. */
async function requireTrue(deps: SignDeps, text: string, { provenBuild, signerOf }: Lookups) {
  const said = JSON.parse(text) as Statement;
  const claims = claimsOf(said);
  if (claims === null) refuse('this is no statement about a package that was merged');
  const build = await provenBuild(claims.manifest, claims.commit);
  const file = fileOf(build, claims.file);
  const { tip: _, ...merged } = build.merged;
  const { manifest } = build;
  const repository = repositoryOf(deps, build);
  const after = (await releasedAs(deps, file, signerOf(repository))).digest;
  const found = provenance({ manifest, digest: claims.manifest, file, released: after, merged });
  if (canonicalJson(found) !== canonicalJson(said)) refuse(`the statement about ${file.name} says what is not so`);
  const entry = { file: file.name, from: merged, manifest: claims.manifest, time: new Date().toISOString() };
  return { sha256: after.replace('sha256:', ''), entry, repository };
}

/** What a file of a build became; it must have been looked at, and signed where files are. */
async function releasedAs({ keys }: SignDeps, file: PackageFile, by: RepositorySigner): Promise<BlobRef> {
  const known = await readSigned(keys.home, file.digest, by);
  return known?.identity === identityOf(file)
    ? known
    : refuse(`${file.name} was not signed here by the keys of now: release again`);
}

interface FileToSign {
  readonly format: PackageFormat;
  readonly file: PackageFile;
  readonly by: RepositorySigner;
}

async function signFile(deps: SignDeps, { format, file, by }: FileToSign): Promise<SignedFile> {
  const { name, digest, size } = file;
  const before = { digest, size };
  const known = await readSigned(deps.keys.home, digest, by);
  const made = known !== null && (format !== 'rpm' || (await deps.outbox.has(known.digest))) ? known : null;
  const record = made?.identity === identityOf(file) ? made : await makeSigned(deps, { format, file, by }, made);
  const after = { digest: record.digest, size: record.size };
  return { name, before, after, ...(record.key === undefined ? {} : { key: record.key }) };
}

/** @param made what the same content became before, as something else */
async function makeSigned(deps: SignDeps, { format, file, by }: FileToSign, made: SignedRecord | null) {
  const { digest, size } = file;
  const after = await inDirectory(async (directory): Promise<SignedRecord> => {
    const path = await inspectFile(deps.inbox, directory, { format, file });
    if (format !== 'rpm') return { digest, size };
    if (made !== null) return made;
    await by.package(path);
    const ref = await deps.outbox.put({ path });
    return ref.digest === digest ? ref : { ...ref, key: by.keys.sign[0].id };
  });
  const record: SignedRecord = { ...after, identity: identityOf(file) };
  await keepSigned(deps.keys.home, digest, { ...record, by });
  return record;
}
