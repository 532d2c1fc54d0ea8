import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { claimsOf, dssePayload, readEnvelope } from '../../pipelines/model/provenance.ts';
import { lineOf, type ReleaseRules } from '../../pipelines/model/release-line.ts';
import { notMerged, otherLine, otherTree } from '../../pipelines/report/walls.ts';
import type { MergedState, StateName } from '../git/merged.ts';
import { must, run } from '../process/run.ts';
import { makeTemporary } from '../process/temporary.ts';

export interface VerifyDeps {
  /** The public key that the signer shows; statements by others are nobody's. */
  readonly archiveKey: () => Promise<string>;
  readonly merged: (of: StateName) => Promise<MergedState | null>;
  readonly rules: ReleaseRules;
}

/** A file of a released repository with the statement that is to vouch for it. */
export interface StatedFile {
  readonly name: string;
  readonly sha256: string;
  /** Null: there is none. */
  readonly envelope: string | null;
}

/** @returns why the first of the files that is not proven is not, or null when all are */
export type VerifyStatements = (files: readonly StatedFile[], into: ReleasedInto) => Promise<string | null>;

/** The released repository that files are to be shown in. */
interface ReleasedInto {
  readonly format: PackageFormat;
  readonly repository: string;
}

/**
 * Checks statements as anybody could: the archive's key has signed them, they are about the very content, and the tree
 * that they name is one that the merged branch has, as the host says now. Platform and branch must be those of the
 * repository's line.
 */
export function createStatementVerifier({ archiveKey, merged, rules }: VerifyDeps): VerifyStatements {
  return async (files, into) => {
    if (files.length === 0) return null;
    const home = await makeTemporary('sluice-statements');
    try {
      const key = join(home, 'archive-key.asc');
      await writeFile(key, await archiveKey());
      await must('gpg', ['--batch', '--quiet', '--import', '--', key], { env: { GNUPGHOME: home } });
      for (const file of files) {
        const why =
          (await signatureFault(home, file)) ?? (await factFault(merged, file)) ?? lineFault(rules, file, into);
        if (why !== null) return why;
      }
      return null;
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  };
}

async function signatureFault(home: string, { name, envelope: text }: StatedFile): Promise<string | null> {
  if (text === null) return `${name} has no provenance statement`;
  const { envelope } = readEnvelope(text);
  const payload = Buffer.from(envelope.payload, 'base64').toString();
  const [signature, signed] = [join(home, 'signature'), join(home, 'signed')];
  await writeFile(signature, Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64'));
  await writeFile(signed, dssePayload(payload).toSign);
  const { code } = await run('gpg', ['--batch', '--verify', '--', signature, signed], { env: { GNUPGHOME: home } });
  return code === 0 ? null : `the provenance statement of ${name} is not signed by the archive's key`;
}

async function factFault(merged: VerifyDeps['merged'], { name, sha256, envelope }: StatedFile): Promise<string | null> {
  const { statement } = readEnvelope(envelope ?? '');
  if (!statement.subject.some(({ digest }) => digest?.sha256 === sha256)) {
    return `the provenance statement of ${name} is about other content`;
  }
  const claims = claimsOf(statement);
  if (claims === null) return `the provenance statement of ${name} does not say what was merged`;
  const found = await merged(claims);
  if (found === null) return notMerged(claims);
  return found.tree === claims.tree ? null : otherTree(claims.commit, { is: found.tree, said: claims.tree });
}

function lineFault(rules: ReleaseRules, { name, envelope }: StatedFile, { format, repository }: ReleasedInto) {
  const claims = claimsOf(readEnvelope(envelope ?? '').statement);
  if (claims === null) return `the provenance statement of ${name} does not say what was merged`;
  const { repository: own } = lineOf(rules, { format, ...claims });
  return own === repository ? null : otherLine(name, { ...claims, own, repository });
}
