import { must } from '../../../process/run.ts';
import { environment } from '../../key.ts';
import type { GnupgKey } from './key.ts';
import { withSecret } from './secret.ts';

/** @throws ProcessError as GnuPG fails */
export function signText(key: GnupgKey, how: '--detach-sign' | '--clear-sign', text: string): Promise<string> {
  return withSecret(key, async (options) => {
    const args = ['--batch', '--yes', '--armor', '--status-fd', '2', '--digest-algo', 'SHA512', ...options];
    const { timeout } = key;
    const limits = { input: text, env: environment(key), ...(timeout === undefined ? {} : { timeout }) };
    return (await must('gpg', [...args, '--local-user', key.key, how], limits)).stdout;
  });
}
