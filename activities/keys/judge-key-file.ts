import { must } from '../process/run.ts';
import { judgeKey, keyName, readKeyring } from './keyring.ts';

/** What is wrong with keys, as clients see it: an error now, or one to come. */
export interface KeyJudgement {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * What is wrong with the keys in a file of public keys.
 *
 * @param only fingerprints of the keys that count; all of them when absent.
 */
export async function judgeKeyFile(file: string, only?: readonly string[]): Promise<KeyJudgement> {
  const args = ['--batch', '--with-colons', '--fixed-list-mode', '--with-sig-list', '--show-keys', '--', file];
  const all = readKeyring((await must('gpg', args)).stdout);
  const keys = only === undefined ? all : all.filter(({ fingerprint }) => only.includes(fingerprint));
  const verdicts = keys.map((key) => ({ name: keyName(key), verdict: judgeKey(key, Date.now()) }));
  const say = (pick: (verdict: ReturnType<typeof judgeKey>) => readonly string[]) =>
    verdicts.flatMap(({ name, verdict }) => pick(verdict).map((text) => `key ${name}: ${text}`));
  return { problems: say(({ unusable }) => unusable), warnings: say(({ weak, warnings }) => [...weak, ...warnings]) };
}
