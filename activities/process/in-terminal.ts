import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Words to put before a command that needs the administrator's rights. */
export function asRoot(): readonly string[] {
  return process.getuid?.() === 0 ? [] : ['sudo'];
}

/** Kept for the message when a command fails, in characters. */
const kept = 4_000;

/**
 * Runs a command in the terminal's own session, where `sudo` can ask for a password and Ctrl-C ends it.
 *
 * @param report gets the last line of each piece of output
 * @throws with the command and its last lines when it fails.
 */
export async function runInTerminal(command: readonly string[], report: (line: string) => void): Promise<void> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['inherit', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output = `${output}${text}`.slice(-kept);
      const line = text.trimEnd().split('\n').at(-1)?.trim();
      if (line) report(line);
    });
  }
  const [code] = await once(child, 'close');
  if (code === 0) return;
  throw new Error(`${command.join(' ')} ended with ${code}:\n${output.trim().split('\n').slice(-8).join('\n')}`);
}
