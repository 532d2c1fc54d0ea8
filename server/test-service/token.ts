import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { roleOf, type TestHolder, type TestRole } from '../../pipelines/test-service/roles.ts';

/** How tokens are signed: RFC 7518, HMAC with SHA-256. */
const algorithm = 'HS256';

/** Who has the token is in one of these claims. */
const claims = z.object({
  email: z.string().min(1).optional(),
  sub: z.string().min(1).optional(),
  role: z.string().optional(),
});

/** Whose a token is to be, what it lets its holder do, and for how many seconds it is good. */
export interface TokenWish {
  readonly email: string;
  readonly role: TestRole;
  readonly seconds: number;
}

/** Makes a JSON Web Token. @param secret the text to sign it with */
export async function makeToken({ email, role, seconds }: TokenWish, secret: string) {
  const now = Math.floor(Date.now() / 1000);
  const signed = new SignJWT({ email, role }).setProtectedHeader({ alg: algorithm, typ: 'JWT' });
  const until = signed.setIssuedAt(now).setExpirationTime(now + seconds);
  const token = await until.sign(new TextEncoder().encode(secret));
  return { token, expires: new Date((now + seconds) * 1000).toISOString() };
}

/**
 * Reads a JSON Web Token (RFC 7519).
 *
 * @param secret the text that it was signed with
 * @returns whose it is; undefined for one that is not valid: another's, expired, or by another algorithm
 */
export async function holderOf(token: string, secret: string): Promise<TestHolder | undefined> {
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), { algorithms: [algorithm] });
    const { email, sub = 'somebody', role } = claims.parse(payload);
    return { email: email ?? sub, role: roleOf(role) };
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}
