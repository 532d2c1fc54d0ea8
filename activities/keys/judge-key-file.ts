import { must } from '../process/run.ts';
import { judgeKey, keyName, readKeyring } from './keyring.ts';

/** What is wrong with the keys in a file of public keys, as clients see it. */
export async function judgeKeyFile(file: string): Promise<{
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}> {
  const args = ['--batch', '--with-colons', '--fixed-list-mode', '--with-sig-list', '--show-keys', '--', file];
  const keys = readKeyring((await must('gpg', args)).stdout);
  const verdicts = keys.map((key) => ({ name: keyName(key), verdict: judgeKey(key, Date.now()) }));
  const say = (pick: (verdict: ReturnType<typeof judgeKey>) => readonly string[]) =>
    verdicts.flatMap(({ name, verdict }) => pick(verdict).map((text) => `key ${name}: ${text}`));
  return { problems: say(({ unusable }) => unusable), warnings: say(({ weak, warnings }) => [...weak, ...warnings]) };
}
