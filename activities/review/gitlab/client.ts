import type { HttpPatience } from '../http.ts';
import { openRest, type RestClient } from '../rest.ts';
import type { ReadSecret, SecretReference } from '../settings.ts';
import { complaintSchema } from './schema.ts';

export interface ClientSettings {
  /** Name of the connection, for messages. */
  readonly connection: string;
  readonly url: string;
  readonly token: SecretReference;
  readonly readSecret: ReadSecret;
  readonly patience?: HttpPatience | undefined;
}

/** The REST API of a GitLab. Paths begin behind `/api/v4`. */
export function openClient({ connection, url, token, readSecret, patience }: ClientSettings): RestClient {
  return openRest({
    connection,
    url: `${url}/api/v4`,
    pages: 'per_page=100',
    // Of long lists it does not count the pages, but says which is next.
    isLast: (headers) => headers.get('x-next-page') === '',
    login: async () => ({ 'private-token': await readSecret(token) }),
    complaint: (body) => complaintSchema.parse(body),
    version: '/version',
    ...(patience === undefined ? {} : { patience }),
  });
}
