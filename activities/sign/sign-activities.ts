import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobRef, PackageFile, PackageFormat } from '../../pipelines/model/artifact.ts';
import { dssePayload, type Envelope } from '../../pipelines/model/provenance.ts';
import type { BlobStore } from '../ports.ts';
import { createGpgSigner } from './gpg.ts';
import type { GpgKey } from './key.ts';

export interface SignDeps {
  readonly key: GpgKey & { readonly home: string };
  /** Where content to sign is read from. */
  readonly inbox: Pick<BlobStore, 'read' | 'fetch'>;
  /** Where signed content is shown to others: the signer's own directory, which they only read. */
  readonly outbox: Pick<BlobStore, 'put' | 'has'>;
}

/** A package before and after signing; the same content where the format signs only its index. */
export interface SignedFile {
  readonly name: string;
  readonly before: BlobRef;
  readonly after: BlobRef;
}

/** What the signer does for others: content goes in and comes out by digest, and the key stays. */
export function createSignActivities(deps: SignDeps) {
  const signer = createGpgSigner(deps.key);
  return {
    /** Signing the same content again gives what the first time gave. */
    async signPackages(input: {
      readonly format: PackageFormat;
      readonly files: readonly PackageFile[];
    }): Promise<readonly SignedFile[]> {
      const signed: SignedFile[] = [];
      for (const { name, digest, size } of input.files) {
        const before = { digest, size };
        const after = input.format === 'rpm' ? await signOnce(deps, before, signer.package) : before;
        signed.push({ name, before, after });
      }
      return signed;
    },

    /** Signs a Release file or a repomd.xml. */
    async signIndex(input: {
      readonly digest: string;
    }): Promise<{ readonly detached: BlobRef; readonly clear: BlobRef; readonly publicKey: BlobRef }> {
      const text = (await deps.inbox.read(input.digest)).toString();
      const made = await Promise.all([signer.detach(text), signer.clear(text), signer.publicKey()]);
      const [detached, clear, publicKey] = await Promise.all(made.map((one) => deps.outbox.put(one)));
      if (!detached || !clear || !publicKey) throw new Error('the outbox answered with nothing');
      return { detached, clear, publicKey };
    },

    /** Puts provenance statements into signed envelopes, in the same order. */
    async signStatements(input: { readonly digests: readonly string[] }): Promise<readonly BlobRef[]> {
      return Promise.all(
        input.digests.map(async (digest) => {
          const { payload, toSign, payloadType } = dssePayload((await deps.inbox.read(digest)).toString());
          const sig = Buffer.from(await signer.detach(toSign)).toString('base64');
          const envelope: Envelope = { payload, payloadType, signatures: [{ keyid: deps.key.key, sig }] };
          return deps.outbox.put(`${JSON.stringify(envelope)}\n`);
        }),
      );
    },
  };
}

export type SignActivities = ReturnType<typeof createSignActivities>;

async function signOnce(deps: SignDeps, before: BlobRef, sign: (file: string) => Promise<void>): Promise<BlobRef> {
  const hex = before.digest.replace('sha256:', '');
  const ledger = join(deps.key.home, 'signed');
  const known = await readFile(join(ledger, hex), 'utf8').catch(() => null);
  if (known !== null) {
    const after = JSON.parse(known) as BlobRef;
    if (await deps.outbox.has(after.digest)) return after;
  }
  const work = await mkdtemp(join(tmpdir(), 'sluice-sign-'));
  try {
    const file = join(work, 'package.rpm');
    await writeFile(file, await deps.inbox.read(before.digest));
    await sign(file);
    const after = await deps.outbox.put({ path: file });
    await mkdir(ledger, { recursive: true });
    await writeFile(join(ledger, hex), JSON.stringify(after));
    return after;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
