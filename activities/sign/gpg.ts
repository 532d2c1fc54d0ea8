import { must } from '../process/run.ts';
import type { IndexSigner } from '../repository/port.ts';
import { environment, exportPublicKey, type GpgKey, signing } from './key.ts';

/** Signs with GnuPG, whose agent keeps the key to itself. */
export function createGpgSigner(key: GpgKey): IndexSigner {
  return {
    detach: (text) => sign(key, '--detach-sign', text),
    clear: (text) => sign(key, '--clear-sign', text),
    publicKey: () => exportPublicKey(key),
    package: async (...files) => {
      const rpms = files.filter((file) => file.endsWith('.rpm'));
      if (rpms.length > 0) await (await import('./rpm.ts')).signRpms(key, rpms);
    },
  };
}

async function sign(key: GpgKey, how: '--detach-sign' | '--clear-sign', text: string): Promise<string> {
  const by = [key.key, ...(key.also ?? [])].flatMap((each) => ['--local-user', each]);
  const args = ['--batch', '--yes', '--armor', '--digest-algo', 'SHA512', ...by, how];
  return (await signing(key, () => must('gpg', args, { input: text, env: environment(key) }))).stdout;
}
