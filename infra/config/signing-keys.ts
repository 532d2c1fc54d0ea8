import { z } from 'zod';
import type { Resolve } from './mirrors.ts';
import { secretForms, secretSchema } from './secrets.ts';
import { durationSchema } from './units.ts';

const fingerprint = z
  .string()
  .transform((text) => text.replaceAll(' ', '').toUpperCase())
  .refine(
    (text) => /^([0-9A-F]{40}|[0-9A-F]{64})$/.test(text),
    'must be a whole fingerprint, as gpg --fingerprint shows',
  )
  .describe('Its fingerprint, whole.');

const kinds = ['directory', 'gnupg', 'card', 'file', 'program'] as const;

/** `release.keys`: keys that sign, and keys that did. Types are in `activities/sign/signing-key/settings.ts`. */
export function signingKeysSchema(resolve: Resolve) {
  return z.strictObject({
    sign: z
      .array(z.preprocess(named, z.discriminatedUnion('kind', signing(resolve), { error: kindMessage(kinds) })))
      .default([])
      .describe(
        'Keys that sign: the first everything, others indexes alone. A text names one in the signer’s own directory. Default: one that the signer made.',
      ),
    former: z
      .array(
        z.preprocess(
          named,
          z.discriminatedUnion('kind', former(resolve), { error: kindMessage(['directory', 'public']) }),
        ),
      )
      .default([])
      .describe('Keys that sign nothing any more, and are shown to clients beside those that do.'),
    notice: durationSchema
      .prefault('30d')
      .describe('How long before its end `sluice doctor` and the signer warn of a key.'),
  });
}

/** A text is the name of a key in the signer's own directory. */
function named(value: unknown): unknown {
  return typeof value === 'string' ? { kind: 'directory', key: value } : value;
}

function kindMessage(known: readonly string[]) {
  return (issue: z.core.$ZodRawIssue): string | undefined => {
    if (issue.code !== 'invalid_union') return undefined;
    return `must be the name of a key, or a map whose \`kind\` is one of ${known.join(', ')}`;
  };
}

function signing(resolve: Resolve) {
  const secret = secretSchema(resolve);
  const timeout = durationSchema.prefault('60s').describe('How long one signature may take.');
  const home = z.string().min(1).transform(resolve);
  return [
    directory,
    z.strictObject({
      kind: z.literal('gnupg').describe('A GnuPG directory elsewhere, which belongs to the signer’s user.'),
      ...{ home: home.describe('The directory.'), fingerprint },
      passphrase: secret
        .optional()
        .describe(`Its passphrase: ${secretForms}. Default: it has none, or the directory’s agent knows it.`),
      timeout,
    }),
    z.strictObject({
      kind: z.literal('card').describe('The same with the secret part on a card, or whatever scdaemon is replaced by.'),
      ...{ home: home.describe('The directory.'), fingerprint },
      pin: secret.optional().describe(`Its PIN: ${secretForms}. A wrong one is given once. Default: the reader asks.`),
      timeout,
    }),
    z.strictObject({
      kind: z.literal('file').describe('A private key in a file.'),
      key: secret.describe(`As \`gpg --armor --export-secret-keys\` writes it: ${secretForms}.`),
      fingerprint,
      passphrase: secret.optional().describe(`Its passphrase: ${secretForms}. Default: it has none.`),
    }),
    z.strictObject({
      kind: z.literal('program').describe('A program signs, with a key that is elsewhere: `docs/signing.md`.'),
      run: z.array(z.string().min(1)).min(1).describe('The program, by its whole path, and its first arguments.'),
      fingerprint,
      public: z.string().min(1).transform(resolve).describe('File with its public half, armoured, and no other key.'),
      timeout,
    }),
  ] as const;
}

const directory = z.strictObject({
  kind: z.literal('directory').describe('A key in the signer’s own directory, as a text names it.'),
  key: z.string().min(1).describe('Fingerprint, user id or mail address.'),
});

function former(resolve: Resolve) {
  const file = z.string().min(1).transform(resolve).describe('The file, armoured, with no other key.');
  const shown = z.literal('public').describe('A public key in a file.');
  return [directory, z.strictObject({ kind: shown, file, fingerprint })] as const;
}
