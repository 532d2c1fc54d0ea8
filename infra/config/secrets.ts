import { z } from 'zod';
import type { Resolve } from './mirrors.ts';

/** How references are written, for descriptions of keys. */
export const secretForms = '`{file: PATH}`, `{env: NAME}` or `{credential: NAME}` (of systemd)';

const secretMessage =
  'must be {file: PATH}, {env: NAME} or {credential: NAME}: a secret is never written in this file itself';

/** A secret is named and never written down; what stands here instead is not repeated in messages. */
export function secretSchema(resolve: Resolve) {
  const file = z.strictObject({ file: z.string().min(1).transform(resolve) });
  const env = z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable') });
  const credential = z.strictObject({
    credential: z.string().regex(/^(?!\.{1,2}$)[\w.@:-]+$/, "must be a credential's name"),
  });
  return z.union([file, env, credential], { error: secretMessage });
}
