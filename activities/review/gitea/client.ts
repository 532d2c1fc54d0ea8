import { openRest, type RestClient } from '../rest.ts';
import type { ReadSecret, SecretReference } from '../settings.ts';
import { complaintSchema } from './schema.ts';

export interface ClientSettings {
  /** Name of the connection, for messages. */
  readonly connection: string;
  readonly url: string;
  readonly token: SecretReference;
  readonly readSecret: ReadSecret;
}

/** The REST API of a Gitea or Forgejo. Paths begin behind `/api/v1`. */
export function openClient({ connection, url, token, readSecret }: ClientSettings): RestClient {
  return openRest({
    connection,
    url: `${url}/api/v1`,
    pages: 'limit=50',
    isLast: (headers, count) => count >= Number(headers.get('x-total-count') ?? Number.POSITIVE_INFINITY),
    login: async () => ({ authorization: `token ${await readSecret(token)}` }),
    complaint: (body) => complaintSchema.parse(body).message,
    version: '/version',
  });
}
