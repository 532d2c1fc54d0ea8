import { readSecret } from '../../activities/review/secret.ts';
import type { StackConfig } from '../stack/settings.ts';

/** Characters that a secret for HS256 must have: RFC 7518 asks for as many bits as the hash has. */
const shortest = 32;

/** What tokens of the test service are signed with. @throws an error that names the place, never the content */
export async function testSecret({ secret }: Pick<NonNullable<StackConfig['tests']>, 'secret'>): Promise<string> {
  const text = await readSecret(secret);
  if (text.length >= shortest) return text;
  throw new Error(`the secret of tests.secret has less than ${shortest} characters: openssl rand -hex 32 makes one`);
}
