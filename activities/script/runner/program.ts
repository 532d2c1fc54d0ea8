import { user } from '../workspace.ts';
import type { Runner, Running } from './runner.ts';

/** What shells and engines end with when they could not start a program; programs may end so, too. */
const notStarted: readonly number[] = [126, 127];

/** Says why the program at `$1` cannot be started as what is wrong with it; nothing when it can. */
const look = `[ -e "$1" ] || { echo absent; exit; }
[ -x "$1" ] || { echo mode; exit; }
[ "$(head -c 2 "$1" | tr -d '\\0')" = '#!' ] || { echo none; exit; }
by=$(head -n 1 "$1" | sed 's/^#![ \\t]*//; s/[ \\t].*//')
[ -x "$by" ] || echo "$by"`;

/** Programs: the exit status is the verdict, and the last line says why. */
export const programRunner: Runner = {
  prepare: async ({ place }) => ({ argv: [place.program], env: {} }),
  judge: async (of, { code, output, timedOut }) => {
    if (code === 0 || timedOut) return undefined;
    const { path } = of.script;
    // Engines that find out late end with 1, and say it where programs write.
    const suspect = notStarted.includes(code) || output.includes(`exec ${of.place.program}: `);
    const fault = suspect ? await faultOf(of, output) : undefined;
    if (fault !== undefined) return { result: 'ERROR', summary: `${path} ${fault}` };
    const last = output.trim().split('\n').at(-1) ?? '';
    return { result: 'FAILURE', summary: `${path} ended with ${code}${last === '' ? '' : `: ${last}`}` };
  },
};

/** Why it could not be started, as what the sentence about it ends with. */
async function faultOf({ session, script, options, place }: Running, output: string): Promise<string | undefined> {
  const argv = ['sh', '-c', look, 'sh', place.program];
  const looked = await session.machine.exec(argv, { user, signal: options.signal });
  const found = looked.output.trim();
  if (found === 'absent') return `is not in ${script.project}`;
  if (found === 'mode') return `is not executable: \`git update-index --chmod=+x ${script.path}\``;
  // A file without a first line of its own may be a binary, which starts, or a shell's script, which a shell starts.
  if (found === 'none')
    return output.includes('exec format error') ? 'does not begin with `#!` and an interpreter' : undefined;
  return found === '' ? undefined : `begins with an interpreter that is not there: ${found}`;
}
