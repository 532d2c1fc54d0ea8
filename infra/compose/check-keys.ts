import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ProcessError, run } from '../../activities/process/run.ts';
import type { KeyCheck } from '../../activities/sign/check-keys.ts';
import { checkout } from '../bootstrap/find.ts';
import type { Config } from '../config/load.ts';
import type { KeysToCheck } from '../signer/check-keys.ts';
import { dataPaths } from '../stack/paths.ts';
import { asSigner } from '../stack/signer.ts';

const program = join(checkout, 'infra', 'signer', 'check-keys.ts');

/**
 * Has each key of the archive sign, as the signer's user.
 *
 * @returns null where this process may not look: that takes root, or the signer's user
 */
export async function checkArchiveKeys({
  data,
  release,
}: Pick<Config, 'data' | 'release'>): Promise<readonly KeyCheck[] | null> {
  const { keys: home } = dataPaths(data);
  const code = await access(home, constants.R_OK).then(
    () => null,
    ({ code = '' }: NodeJS.ErrnoException) => code,
  );
  // Nothing is made before the first start.
  if (code === 'ENOENT') return [];
  if (code !== null) return null;
  const [node = '', ...args] = asSigner([process.execPath, '--disable-warning=ExperimentalWarning', program], data);
  const told: KeysToCheck = { home, keys: release.keys };
  // Secrets may be in variables of this process.
  const env = Object.fromEntries(Object.entries(process.env).flatMap(([name, value = '']) => [[name, value]]));
  const result = await run(node, args, { input: JSON.stringify(told), env });
  if (result.code !== 0) throw new ProcessError(node, args, result);
  return JSON.parse(result.stdout) as readonly KeyCheck[];
}
