import { readSecret } from '../../activities/review/secret.ts';
import { makeToken, type TokenWish } from '../../server/test-service/token.ts';
import { type Config, invalidAt } from '../config/load.ts';
import type { StackConfig } from '../stack/settings.ts';

/** Characters that a secret for HS256 must have: RFC 7518 asks for as many bits as the hash has. */
const shortest = 32;

type Configured = Pick<NonNullable<StackConfig['tests']>, 'secret'>;

/** What tokens of the test service are signed with. @throws an error that names the place, never the content */
export async function testSecret({ secret }: Configured): Promise<string> {
  const text = await readSecret(secret);
  if (text.length >= shortest) return text;
  throw new Error(`the secret of tests.secret has less than ${shortest} characters: openssl rand -hex 32 makes one`);
}

/** Makes a token of the test service. @throws as `testSecret` does */
export async function createTestToken(tests: Configured, wish: TokenWish) {
  return makeToken(wish, await testSecret(tests));
}

/** @throws InvalidConfiguration for a secret that is no good, at its place in the file */
export async function requireTestSecret({ file, tests }: Pick<Config, 'file' | 'tests'>): Promise<void> {
  if (file === null || tests === undefined) return;
  await testSecret(tests).catch(({ message }: Error) => {
    throw invalidAt(file, [{ path: ['tests', 'secret'], message }]);
  });
}
