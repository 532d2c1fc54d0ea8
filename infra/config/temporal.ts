import { z } from 'zod';
import type { Resolve } from './mirrors.ts';
import { secretForms, secretSchema } from './secrets.ts';

const port = z.int().min(0).max(65_535);

/** `temporal:` the server of our own, or a cluster and how it is reached. */
export function temporalSchema(resolve: Resolve) {
  const keys = z.strictObject({
    address: z.string().min(1).optional().describe('`HOST:PORT` of a Temporal cluster. Default: a server of our own.'),
    namespace: z.string().min(1).default('default').describe("The cluster's namespace."),
    tls: tlsSchema(resolve)
      .optional()
      .describe('The cluster is reached by TLS; `{}` where its certificate is one that the system trusts.'),
    apiKey: secretSchema(resolve)
      .optional()
      .describe(`What the cluster knows Sluice by, sent by TLS alone: ${secretForms}.`),
    port: port.default(7233).describe('Port of our own Temporal server, 0 for a free one.'),
    uiPort: port.default(8233).describe('Port of its Web UI, 0 for a free one.'),
    uiUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where users reach the Web UI. Default: `uiPort` on this machine.'),
    durability: z
      .enum(['fast', 'full'])
      .default('fast')
      .describe(
        'Of Temporal: `fast`: a power cut may lose the last moments, a killed process nothing. `full`: neither, at half the speed.',
      ),
  });
  return keys.superRefine((settings, context) => {
    for (const key of ['tls', 'apiKey'] as const) {
      if (settings[key] === undefined || settings.address !== undefined) continue;
      const message = 'is for a cluster at "address": a server of our own listens on this machine alone';
      context.addIssue({ code: 'custom', path: [key], message });
    }
  });
}

function tlsSchema(resolve: Resolve) {
  const path = z.string().min(1).transform(resolve);
  return z
    .strictObject({
      ca: path
        .optional()
        .describe('File with the certificates that may have signed its own. Default: those that the system trusts.'),
      serverName: z.string().min(1).optional().describe('Name in its certificate. Default: the host of `address`.'),
      certificate: path.optional().describe('File with the certificate that Sluice shows (mTLS).'),
      key: secretSchema(resolve).optional().describe(`The private key of \`certificate\`: ${secretForms}.`),
    })
    .superRefine(({ certificate, key }, context) => {
      if ((certificate === undefined) === (key === undefined)) return;
      const [missing, given] = key === undefined ? ['key', 'certificate'] : ['certificate', 'key'];
      context.addIssue({ code: 'custom', path: [given], message: `needs its "${missing}" beside it` });
    });
}
