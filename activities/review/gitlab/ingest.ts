import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { TriggerEvent } from '../../../pipelines/model/change.ts';
import { isSafeBranch } from '../../git/names.ts';
import type { Delivery, News, Reading, Webhook } from '../port.ts';
import { type Headers, header, type WebhookSettings } from '../webhook.ts';
import { changeId, isProject } from './names.ts';
import { type Posted, postedSchema } from './schema.ts';

/** What the host posts, as an occurrence: mostly that there is something to look at. */
export function createWebhook({ connection, secret, readSecret }: WebhookSettings): Webhook {
  return {
    async isSigned(delivery) {
      if (secret === undefined) return false;
      const known = await readSecret(secret);
      const given = header(delivery.headers, 'x-gitlab-token');
      if (given !== '' && timingSafeEqual(digestOf(given), digestOf(known))) return true;
      return hasSignature(delivery, known);
    },
    read: (headers, content) => readDelivery(connection, headers, content),
  };
}

const signingToken = /^whsec_([A-Za-z0-9+/]{43}=)$/;

/**
 * Whether one of the signatures is made with a signing token, which newer GitLabs have in the place of a secret one.
 * How old it is does not count: what is posted again is not taken again.
 */
function hasSignature({ headers, body }: Delivery, secret: string): boolean {
  const [, key] = signingToken.exec(secret) ?? [];
  if (key === undefined) return false;
  const [id, time] = [header(headers, 'webhook-id'), header(headers, 'webhook-timestamp')];
  const hash = createHmac('sha256', Buffer.from(key, 'base64')).update(`${id}.${time}.`).update(body);
  const right = digestOf(`v1,${hash.digest('base64')}`);
  const given = header(headers, 'webhook-signature').split(' ');
  return given.some((each) => timingSafeEqual(digestOf(each), right));
}

/** Of one length, whatever the text's is. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const kinds = new Set(['merge_request', 'note', 'pipeline', 'push', 'tag_push']);

/** Events of the whole host or a group, which change what projects there are or what they are called. */
const fates = [
  ...['project_create', 'project_destroy', 'project_rename', 'project_transfer', 'project_update'],
  ...['group_rename', 'group_destroy', 'user_rename'],
];

export function readDelivery(connection: string, headers: Headers, content: unknown): Reading {
  const { object_kind: kind, event_name: event } = (content ?? {}) as Readonly<Record<string, unknown>>;
  if (kind === undefined && fates.includes(String(event))) {
    return { kind: 'occurrence', occurrence: { id: idOf(headers, content), news: [{ kind: 'projects' }] } };
  }
  if (typeof kind === 'string' ? !kinds.has(kind) : header(headers, 'x-gitlab-event') !== '')
    return { kind: 'unknown' };
  const posted = postedSchema.safeParse(content);
  if (!posted.success) {
    const [issue] = posted.error.issues;
    return { kind: 'malformed', reason: `an event without ${issue?.path.join('.') || 'a body'}` };
  }
  // A host has more projects than are gated, with names of all kinds.
  if (!isProject(posted.data.project.path_with_namespace)) return { kind: 'unknown' };
  const news = posted.data.object_kind.endsWith('push')
    ? newsOfRef(connection, posted.data)
    : newsOfRequest(connection, posted.data);
  if (news.length === 0) return { kind: 'unknown' };
  return { kind: 'occurrence', occurrence: { id: idOf(headers, content), news } };
}

/**
 * The host numbers deliveries, and those of what was done at one time alike: a push of two branches, a webhook's
 * answer that is the next one's cause. What is posted twice has the same content, too.
 */
function idOf(headers: Headers, content: unknown): string {
  const names = ['webhook-id', 'idempotency-key', 'x-gitlab-event-uuid'];
  const given = names.map((name) => header(headers, name)).find(Boolean) ?? '';
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 24);
  return `${given.replace(/[^\w-]/g, '').slice(0, 100)}:${digest}`;
}

/** What has happened is read from the host. */
function newsOfRequest(connection: string, posted: Posted): News[] {
  const { object_kind: kind, object_attributes: attributes, merge_request: request } = posted;
  const number = kind === 'merge_request' ? attributes?.iid : request?.iid;
  if (!number) return [];
  return [{ kind: 'look', change: changeId(connection, { project: posted.project.path_with_namespace, number }) }];
}

const commitPattern = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

function newsOfRef(connection: string, posted: Posted): News[] {
  const { project, commits, user_username: username, user_email: email } = posted;
  const ref = posted.ref ?? '';
  const [oldrev, newrev] = [posted.before ?? '', posted.after ?? ''];
  const [, space, name = ''] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
  if (!isSafeBranch(name) || !commitPattern.test(newrev)) return [];
  const event: TriggerEvent = {
    type: 'gl_push',
    driver: 'gitlab',
    connection,
    project: project.path_with_namespace,
    ...(space === 'heads' ? { branch: name } : {}),
    ref,
    ...(commitPattern.test(oldrev) ? { oldrev } : {}),
    newrev,
    ...(username ? { account: { username, ...(email ? { email } : {}) } } : {}),
    // The host does not say when it was pushed.
    time: Math.max(0, ...commits.map(({ timestamp }) => timestamp ?? 0)),
  };
  return [{ kind: 'event', event }];
}
