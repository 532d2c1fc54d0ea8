import { isSafeProject } from '../../git/names.ts';
import { isAddress, pathOnSite } from '../address.ts';

/** A pull request by its project and number. */
export interface PullName {
  readonly project: string;
  readonly number: number;
}

/** Where a connection's Gitea is: its name here, and its URL without a slash at the end. */
export interface Site {
  readonly connection: string;
  readonly url: string;
}

export function changeId(connection: string, { project, number }: PullName): string {
  return `${connection}:${project}#${number}`;
}

export function pullRef(number: number): string {
  return `refs/pull/${number}/head`;
}

/** What comes after the number in addresses that the pages and the API have. */
const page = /^\/(?:api\/v1\/repos\/)?([^/?#]+\/[^/?#]+)\/(?:pulls|issues)\/([1-9][0-9]{0,8})(?:[/?#.].*)?$/s;
const short = /^([^#]+)#([1-9][0-9]{0,8})$/;

/**
 * Parses `OWNER/NAME#17`, with or without `CONNECTION:` before it, and the addresses that a pull request has on the
 * site, by http or https. Null for what cannot be a pull request there.
 */
export function parsePullName(text: string, { connection, url }: Site): PullName | null {
  if (text.length > 2_000) return null;
  if (isAddress(text)) return named(page.exec(pathOnSite(text, url) ?? ''));
  return named(short.exec(text.startsWith(`${connection}:`) ? text.slice(connection.length + 1) : text));
}

/** The pull request that a commit is the head of, by the project and the commit: the host names no other in some news. */
export function headName(connection: string, { project, commit }: HeadName): string {
  return `${connection}:${project}@${commit}`;
}

export interface HeadName {
  readonly project: string;
  readonly commit: string;
}

/** Null for what is no `headName` of the connection. */
export function parseHeadName(text: string, { connection }: Site): HeadName | null {
  const [, project = '', commit = ''] = /^([^@]{1,500})@([0-9a-f]{40}|[0-9a-f]{64})$/.exec(text) ?? [];
  const [prefix, own] = [`${connection}:`, project.slice(connection.length + 1)];
  return project.startsWith(prefix) && isProject(own) ? { project: own, commit } : null;
}

function named(match: RegExpExecArray | null): PullName | null {
  const [, project = '', number = ''] = match ?? [];
  return isProject(project) ? { project, number: Number(number) } : null;
}

/** Whether a text can be `OWNER/NAME` here. */
export function isProject(text: string): boolean {
  return text.split('/').length === 2 && isSafeProject(text);
}
