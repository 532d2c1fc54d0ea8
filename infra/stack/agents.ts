import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exists } from '../../activities/files/exists.ts';
import { run } from '../../activities/process/run.ts';
import { dataPaths } from './paths.ts';
import { asSigner } from './signer.ts';

/**
 * Ends GnuPG's agents of a data directory on which nothing runs: a process that was cut off, or killed, has left its own.
 * Those of directories elsewhere may be somebody else's, and stay.
 */
export async function endAgents(data: string): Promise<void> {
  const { keys, testKeys } = dataPaths(data);
  const end = ['gpgconf', '--kill', 'all'];
  // The agent's socket is where the home of its own user says.
  const signers = [keys, ...importedIn(keys)].map((home) => ({ home, command: asSigner(end, data) }));
  for (const { home, command } of [...signers, { home: testKeys, command: end }]) {
    const [program = '', ...args] = command;
    if (await exists(home)) await run(program, args, { env: { GNUPGHOME: home } });
  }
}

function importedIn(keys: string): readonly string[] {
  try {
    return readdirSync(join(keys, 'imported')).map((name) => join(keys, 'imported', name));
  } catch {
    return [];
  }
}
