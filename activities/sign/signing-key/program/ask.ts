import { dearmor } from '../../../keys/armor.ts';
import { run } from '../../../process/run.ts';
import type { ProgramKey } from '../settings.ts';
import { programFault, startFault } from './fault.ts';

/**
 * Has the program sign.
 *
 * @throws KeyRefused, or KeyAway where another try may help
 */
export async function askProgram(
  key: ProgramKey,
  how: 'detach-sign' | 'clear-sign',
  content: string | Uint8Array,
): Promise<string> {
  const [program = '', ...args] = key.run;
  const options = { input: content, timeout: key.timeout * 1000 };
  const result = await run(program, [...args, how, key.fingerprint], options).catch((error) => {
    throw startFault(key, error);
  });
  if (result.code !== 0 || dearmor('SIGNATURE', result.stdout).length === 0) throw programFault(key, result);
  return result.stdout;
}
