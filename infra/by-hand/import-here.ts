import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { systemReason } from '../../activities/files/system-reason.ts';
import { byPlatform } from '../../activities/nodes/by-platform.ts';
import type { Provider } from '../../activities/nodes/port.ts';
import { openProvider, vmDirectory } from '../../activities/nodes/registry.ts';
import { hardwareHere } from '../../activities/nodes/vm/accelerator.ts';
import { createVmProvider } from '../../activities/nodes/vm/provider.ts';
import { placesIn, snapshotsIn } from '../../activities/nodes/vm/records.ts';
import { bestSnapshot } from '../../activities/nodes/vm/snapshots.ts';
import { waysTo } from '../../activities/nodes/vm/ways.ts';
import type { OpenedSecret, OpenSecrets } from '../../activities/secrets/port.ts';
import { isVirtual, type Platform } from '../../pipelines/model/platform.ts';
import { reachedFrom } from '../common/machines.ts';
import { type Installation, installationOf } from '../stack/installation.ts';

/** What this installation has for the jobs of an export. */
export interface ImportHere {
  /** Undefined for a label that it does not know. */
  readonly platform: (label: string) => Platform | undefined;
  /** The data of the secrets that were given for them, by name. */
  readonly secrets: ReadonlyMap<string, SecretData>;
  /** Why no virtual machines of a platform can be restored; undefined where they can. */
  readonly unprepared: (platform: Platform) => string | undefined;
}

type SecretData = Readonly<Record<string, unknown>>;

/** @param data directory of the installation: the snapshots of virtual machines are there */
export async function unpreparedIn(data: string, platforms: readonly Platform[]): Promise<ImportHere['unprepared']> {
  if (!platforms.some(isVirtual)) return () => undefined;
  const snapshots = await snapshotsIn(placesIn(vmDirectory(data)));
  const hardware = await hardwareHere().catch((error: Error) => error.message);
  return ({ name, testImage }) => {
    const best = typeof hardware === 'string' ? hardware : bestSnapshot(snapshots, testImage, hardware);
    return typeof best === 'string' ? `${best}: sluice vm prepare ${name}` : undefined;
  };
}

/** Who lends, and to whom. */
export interface Lending {
  /** Directory of the installation. */
  readonly data: string;
  readonly platforms: readonly Platform[];
  /** Archives that virtual machines reach besides those of their platforms. */
  readonly mirrors: readonly string[];
  /** The workflow for which all is lent: what is left of it goes when that has ended. */
  readonly holder?: string | undefined;
}

/**
 * Lends containers, and virtual machines restored from the snapshots that an installation has.
 *
 * @param door where nodes find the repositories of an import
 */
export function machinesHere({ data, platforms, mirrors, holder }: Lending, door: () => Promise<string>): Provider {
  const ways = async () => waysTo(await reachedFrom({ platforms, server: door, mirrors }));
  const whose: { readonly installation?: Installation } =
    holder === undefined ? {} : { installation: installationOf(data) };
  const vm = createVmProvider({
    places: placesIn(vmDirectory(data)),
    installation: whose.installation?.id ?? null,
    ways,
  });
  const all = byPlatform({ docker: openProvider('docker', whose), vm, static: openProvider('static') });
  if (holder === undefined) return all;
  return { ...all, lend: (request) => all.lend({ ...request, holder }) };
}

/** Reads the data of a secret from a file: a mapping in YAML. @throws with what is wrong, without the text */
export async function readSecretData(path: string): Promise<SecretData> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${path} cannot be read: ${systemReason(error)}`);
  });
  const data = dataIn(text);
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data as SecretData;
  throw new Error(`${path} must be a mapping, such as \`password: …\`: the data of the secret`);
}

/** A parser's message would quote the text. */
function dataIn(text: string): unknown {
  try {
    return parse(text, { logLevel: 'error' });
  } catch {
    return undefined;
  }
}

/** Gives jobs what was given for their secrets. */
export function givenSecrets(given: ImportHere['secrets']): OpenSecrets {
  return async ({ secrets }) =>
    secrets.uses.map(({ secret }): OpenedSecret => {
      const data = given.get(secret);
      if (data === undefined) throw new Error(`the secret ${secret} was not given`);
      return { secret, data, values: textsIn(data) };
    });
}

/** Nobody knows which of it was encrypted: all text is kept out of logs. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn);
  return typeof value === 'string' ? [value] : [];
}
