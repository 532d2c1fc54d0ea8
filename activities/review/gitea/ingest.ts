import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TriggerEvent } from '../../../pipelines/model/change.ts';
import { isSafeBranch } from '../../git/names.ts';
import { isOwnStatus } from '../mark.ts';
import type { News, Reading, Webhook } from '../port.ts';
import { type Headers, header, type WebhookSettings } from '../webhook.ts';
import { changeId, headName, isProject, pullRef } from './names.ts';
import { type Posted, postedSchema } from './schema.ts';

/** What the host posts, as an occurrence: mostly that there is something to look at. */
export function createWebhook({ connection, secret, readSecret }: WebhookSettings): Webhook {
  return {
    async isSigned({ headers, body }) {
      if (secret === undefined) return false;
      const digest = createHmac('sha256', await readSecret(secret))
        .update(body)
        .digest();
      return signatures(headers).some((given) => given.length === digest.length && timingSafeEqual(given, digest));
    },
    read: (headers, content) => readDelivery(connection, headers, content),
  };
}

/** Gitea's own header, Forgejo's, and the one that GitHub made common. */
function signatures(headers: Headers): readonly Buffer[] {
  const plain = [header(headers, 'x-gitea-signature'), header(headers, 'x-forgejo-signature')];
  const common = header(headers, 'x-hub-signature-256').replace(/^sha256=/, '');
  return [...plain, common].filter((text) => /^[0-9a-f]{64}$/i.test(text)).map((text) => Buffer.from(text, 'hex'));
}

/** Events of pull requests, whatever of them: what has happened is read from the host. */
const looks = /^(pull_request(_.*)?|issue_comment)$/;

export function readDelivery(connection: string, headers: Headers, content: unknown): Reading {
  const kind = ['gitea', 'forgejo', 'gogs'].map((name) => header(headers, `x-${name}-event`)).find(Boolean) ?? '';
  const id = ['gitea', 'forgejo', 'gogs'].map((name) => header(headers, `x-${name}-delivery`)).find(Boolean) ?? '';
  // What it tells of, is that a repository was made or removed; of new names it tells nothing.
  if (kind === 'repository') return { kind: 'occurrence', occurrence: { id, news: [{ kind: 'projects' }] } };
  if (!looks.test(kind) && !['push', 'delete', 'status'].includes(kind)) return { kind: 'unknown' };
  const posted = postedSchema.safeParse(content);
  if (!posted.success) {
    const [issue] = posted.error.issues;
    return { kind: 'malformed', reason: `a ${kind} event without ${issue?.path.join('.') || 'a body'}` };
  }
  // A host has more projects than are gated, with names of all kinds.
  if (!isProject(posted.data.repository.full_name)) return { kind: 'unknown' };
  const news = newsOf(connection, kind, posted.data);
  return news.length === 0 ? { kind: 'unknown' } : { kind: 'occurrence', occurrence: { id, news } };
}

function newsOf(connection: string, kind: string, posted: Posted): News[] {
  if (kind === 'status') return newsOfStatus(connection, posted);
  return looks.test(kind) ? newsOfPull(connection, posted) : newsOfRef(connection, kind, posted);
}

/** A status that is not Sluice's own: it may have been the last that was missing. */
function newsOfStatus(connection: string, { repository, sha, context }: Posted): News[] {
  if (!commitPattern.test(sha) || isOwnStatus(context)) return [];
  return [{ kind: 'look', change: headName(connection, { project: repository.full_name, commit: sha }) }];
}

function newsOfPull(connection: string, posted: Posted): News[] {
  const { action, pull_request: pull, issue, is_pull: isPull, repository } = posted;
  const number = pull?.number ?? (isPull ? issue?.number : undefined);
  if (number === undefined) return [];
  const project = repository.full_name;
  const change = changeId(connection, { project, number });
  const look: News = { kind: 'look', change };
  if (action !== 'edited' || pull == null) return [look];
  // The host keeps no trace of an edited description, and changes may be named there.
  const common = { type: 'gitea_pull_request', driver: 'gitea', connection, project, change };
  const event: TriggerEvent = {
    ...common,
    action,
    ref: pullRef(number),
    ...sender(posted),
    time: pull.updated_at ?? 0,
  };
  return [look, { kind: 'event', event }];
}

const noCommit = '0'.repeat(40);
const commitPattern = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

function newsOfRef(connection: string, kind: string, posted: Posted): News[] {
  const { repository, ref_type: type } = posted;
  const removed = kind === 'delete';
  // A ref that is gone is told of by its short name.
  const ref = removed ? `refs/${type === 'tag' ? 'tags' : 'heads'}/${posted.ref}` : posted.ref;
  const [oldrev, newrev] = removed ? ['', noCommit] : [posted.before, posted.after];
  const [, space, name = ''] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
  if (!isSafeBranch(name) || !commitPattern.test(newrev)) return [];
  // A push that removes a ref is told of as a removal, too.
  if (!removed && /^0+$/.test(newrev)) return [];
  const event: TriggerEvent = {
    type: 'gitea_push',
    driver: 'gitea',
    connection,
    project: repository.full_name,
    ...(space === 'heads' ? { branch: name } : {}),
    ref,
    ...(commitPattern.test(oldrev) ? { oldrev } : {}),
    newrev,
    ...sender(posted),
    time: repository.updated_at,
  };
  return [{ kind: 'event', event }];
}

function sender({ sender: user }: Posted): Pick<TriggerEvent, 'account'> {
  return user ? { account: { username: user.login, ...(user.email ? { email: user.email } : {}) } } : {};
}
