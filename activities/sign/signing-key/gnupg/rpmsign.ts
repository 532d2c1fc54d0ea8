import { environment } from '../../key.ts';
import { rpmsign } from '../rpmsign.ts';
import { signText } from './ask.ts';
import type { GnupgKey } from './key.ts';
import { withSecret } from './secret.ts';

/** @throws ProcessError as rpmsign fails */
export async function rpmsignGnupg(key: GnupgKey, files: readonly string[]): Promise<void> {
  // rpmsign goes on with the next package after a wrong PIN, and cards lock after three.
  if (key.card !== undefined) await signText(key, '--detach-sign', 'Packages follow.\n');
  await withSecret(key, async (options) => {
    const home = environment(key).GNUPGHOME;
    const more = ['--batch', '--status-fd', '2', ...options].join(' ');
    // Distributions' rpm packages name a program that need not be there, such as gpg2.
    const macros = ['__gpg /usr/bin/gpg', `_gpg_name ${key.key}`, `_gpg_sign_cmd_extra_args ${more}`];
    const place = home === undefined ? [] : [`_gpg_path ${home}`];
    // However many packages: each is a signature.
    const timeout = key.timeout === undefined ? undefined : key.timeout * files.length;
    await rpmsign(files, { macros: [...macros, ...place], env: environment(key), timeout });
  });
}
