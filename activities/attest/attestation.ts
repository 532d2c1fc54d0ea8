import { type KeyObject, sign, verify } from 'node:crypto';
import type { PackagesManifest } from '../../pipelines/model/artifact.ts';
import { canonicalJson } from '../../pipelines/model/canonical.ts';
import { keyIdOf } from './builder-key.ts';

/** A build as the worker that made it signs it: every file by digest, and from what, for which job, it was made. */
export function attest(key: KeyObject, manifest: PackagesManifest): PackagesManifest {
  const signature = sign(null, Buffer.from(textOf(manifest)), key).toString('base64');
  return { ...manifest, attestation: { keyid: keyIdOf(key), signature } };
}

/** Why nobody who may build says that it made this; null when one of `builders` does. */
export function attestationFault(manifest: PackagesManifest, builders: ReadonlyMap<string, KeyObject>): string | null {
  const { attestation } = manifest;
  if (attestation === undefined) return `no worker attests the build ${manifest.build}`;
  const key = builders.get(attestation.keyid);
  if (key === undefined) return `the build ${manifest.build} is attested by a worker that is not known here`;
  const holds = verify(null, Buffer.from(textOf(manifest)), key, Buffer.from(attestation.signature, 'base64'));
  return holds ? null : `the build ${manifest.build} is not what its worker attests`;
}

function textOf({ attestation: _, ...said }: PackagesManifest): string {
  return `sluice build\n${canonicalJson(said)}`;
}
