import { type Actor, isAccountName } from '../../pipelines/model/actor.ts';

export interface Pusher {
  /** Of the process that pushes. */
  readonly uid: number;
  /** The name of that user on this machine; null for one without an entry. */
  readonly user: string | null;
  /** Who owns the repository. */
  readonly owner: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Who pushes, by what the transport proves. Whoever pushes on this machine sets the hook's environment: an account
 * that it names counts only where the process is the repository's owner, who could write there anyway, and was started
 * by sshd or a web server: then their configuration sets it.
 *
 * @throws for a name that cannot be an account's.
 */
export function accountOf({ uid, user, owner, env }: Pusher): Actor {
  const local: Actor = { name: user ?? `uid-${uid}`, kind: 'person', via: 'local' };
  if (uid !== owner) return local;
  const { SSH_CONNECTION: ssh, SLUICE_USER: account, REMOTE_ADDR: web, REMOTE_USER: login } = env;
  if (ssh !== undefined && account) return { name: checked(account), kind: 'person', via: 'ssh' };
  if (web === undefined) return local;
  if (login) return { name: checked(login), kind: 'person', via: 'http' };
  return { name: 'anonymous', kind: 'anybody', via: 'http' };
}

function checked(name: string): string {
  if (isAccountName(name)) return name;
  throw new Error(`${JSON.stringify(name.slice(0, 80))} cannot be an account: use letters, digits and . _ @ + - / \\`);
}
