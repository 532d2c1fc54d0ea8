import type { Provider } from '../../activities/nodes/port.ts';
import type { VirtualContext } from '../../activities/nodes/registry.ts';
import type { Provisioning } from '../../activities/nodes/vm/snapshot-activities.ts';
import { waysTo } from '../../activities/nodes/vm/ways.ts';
import { provisionDigest, provisionFaults } from '../../activities/provision/files.ts';
import { provision } from '../../activities/provision/provision.ts';
import { defaultLabel, type Platform } from '../../pipelines/model/platform.ts';
import { type Config, invalidAt } from '../config/load.ts';
import { readAnswers } from '../images/vm/answers.ts';

/** What is done to the virtual machines of a host before they are saved; playbooks run in containers of this machine. */
export function provisioningBy(
  { provider }: { readonly provider: Provider },
  { reached }: Pick<VirtualContext, 'reached'>,
  platform: (label: string) => Platform,
): Provisioning {
  return {
    digest: async (of) => (of.provision === undefined ? undefined : provisionDigest(of.provision)),
    run: (of) => provision({ platform, defaultLabel, provider }, of),
    ways: async () => waysTo(await reached()),
  };
}

/** @throws InvalidConfiguration for what platforms would have run, or installed by, and is not there, at its place in the file */
export async function requireProvisioning({ file, platforms }: Pick<Config, 'file' | 'platforms'>): Promise<void> {
  if (file === null) return;
  const faults = await Promise.all(
    Object.entries(platforms).map(async ([name, { provision: given, image }]) => {
      const found = given === undefined ? [] : await provisionFaults(given);
      const faults = found.map(({ path, message }) => ({ path: ['platforms', name, 'provision', ...path], message }));
      const untold = await answersFault(image?.install?.answers);
      return untold === null
        ? faults
        : [...faults, { path: ['platforms', name, 'image', 'iso', 'answers'], message: untold }];
    }),
  );
  if (faults.flat().length > 0) throw invalidAt(file, faults.flat());
}

/** What is wrong with what an installer is told by. */
async function answersFault(directory: string | undefined): Promise<string | null> {
  if (directory === undefined) return null;
  return readAnswers(directory).then(
    () => null,
    ({ message }: Error) => message,
  );
}
