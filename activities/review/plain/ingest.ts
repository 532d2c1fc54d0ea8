import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { isSafeProject } from '../../git/names.ts';
import type { Delivery, Reading, Webhook } from '../port.ts';
import type { ReadSecret, SecretReference } from '../settings.ts';

export interface WebhookSettings {
  /** Undefined: nothing is signed. */
  readonly secret: SecretReference | undefined;
  readonly readSecret: ReadSecret;
  /** Is told of a project that may have something new. */
  readonly hint: (project: string) => void;
}

/**
 * What a hook of the host posts, `{"project": "NAME"}`: a hint to look now. What there is to see is read from the host,
 * so a hint that is lost, doubled or forged changes nothing but the time of a look.
 */
export function createWebhook({ secret, readSecret, hint }: WebhookSettings): Webhook {
  return {
    async isSigned({ headers }) {
      return secret !== undefined && isSame(bearer(headers), await readSecret(secret));
    },
    read: (_headers, content) => readHint(content, hint),
  };
}

function bearer(headers: Delivery['headers']): string {
  const { authorization } = headers;
  return typeof authorization === 'string' ? authorization.replace(/^Bearer /i, '') : '';
}

function isSame(given: string, secret: string): boolean {
  const [one, other] = [given, secret].map((text) => createHash('sha256').update(text).digest());
  return secret !== '' && one !== undefined && other !== undefined && timingSafeEqual(one, other);
}

function readHint(content: unknown, hint: (project: string) => void): Reading {
  const project = typeof content === 'object' && content !== null && 'project' in content ? content.project : undefined;
  if (typeof project !== 'string' || !isSafeProject(project)) {
    return { kind: 'malformed', reason: 'it must be {"project": "NAME"}, the name of a project in sluice.yaml' };
  }
  hint(project);
  return { kind: 'occurrence', occurrence: { id: `hint:${randomUUID()}`, news: [] } };
}
