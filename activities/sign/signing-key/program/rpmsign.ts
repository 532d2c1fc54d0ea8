import { fileURLToPath } from 'node:url';
import { ProcessError } from '../../../process/run.ts';
import { rpmsign } from '../rpmsign.ts';
import type { ProgramKey } from '../settings.ts';
import { faultIn } from './fault.ts';

/** What tells `rpm-program.ts`, which rpmsign runs in the place of GnuPG, about the key. */
export const keyVariable = 'SLUICE_SIGNING_KEY';

const program = fileURLToPath(new URL('./rpm-program.ts', import.meta.url));

/** @throws KeyRefused, or KeyAway where another try may help */
export async function rpmsignByProgram(key: ProgramKey, files: readonly string[]): Promise<void> {
  const words = [process.execPath, '--disable-warning=ExperimentalWarning', program].map(quoted).join(' ');
  // Older rpm names the file that holds what is signed, newer rpm writes it to the program.
  const names = '"%{__signature_filename}" %{?__plaintext_filename:"%{__plaintext_filename}"}';
  const macros = [`_gpg_name ${key.fingerprint}`, `__gpg ${process.execPath}`, `__gpg_sign_cmd ${words} ${names}`];
  try {
    await rpmsign(files, { macros, env: { [keyVariable]: JSON.stringify(key) } });
  } catch (error) {
    throw (error instanceof ProcessError ? faultIn(error.result.stderr) : null) ?? error;
  }
}

/** rpm takes `%` for the start of a macro. */
function quoted(word: string): string {
  return `"${word.replaceAll('%', '%%')}"`;
}
