import { isSafeProject } from '../../git/names.ts';
import { isAddress, pathOnSite } from '../address.ts';

/** A merge request by its project and number. */
export interface RequestName {
  readonly project: string;
  readonly number: number;
}

/** Where a connection's GitLab is: its name here, and its URL without a slash at the end. */
export interface Site {
  readonly connection: string;
  readonly url: string;
}

export function changeId(connection: string, { project, number }: RequestName): string {
  return `${connection}:${project}!${number}`;
}

export function requestRef(number: number): string {
  return `refs/merge-requests/${number}/head`;
}

/** A project in a path of the API: its slashes are part of its name. */
export function projectPath(project: string): string {
  return `/projects/${encodeURIComponent(project)}`;
}

export function requestPath({ project, number }: RequestName): string {
  return `${projectPath(project)}/merge_requests/${number}`;
}

/** Newer pages have `/-/` before what is not a project's name. */
const page = /^\/([^?#]+?)(?:\/-)?\/merge_requests\/([1-9][0-9]{0,8})(?:[/?#.].*)?$/s;
const short = /^([^!]+)!([1-9][0-9]{0,8})$/;

/**
 * Parses `GROUP/NAME!17`, with or without `CONNECTION:` before it, and the addresses that a merge request has on the
 * site, by http or https. Null for what cannot be a merge request there.
 */
export function parseRequestName(text: string, { connection, url }: Site): RequestName | null {
  if (text.length > 2_000) return null;
  if (isAddress(text)) return named(page.exec(pathOnSite(text, url) ?? ''));
  return named(short.exec(text.startsWith(`${connection}:`) ? text.slice(connection.length + 1) : text));
}

function named(match: RegExpExecArray | null): RequestName | null {
  const [, project = '', number = ''] = match ?? [];
  return isProject(project) ? { project, number: Number(number) } : null;
}

/** Whether a text can be a project in a group, or in one below. */
export function isProject(text: string): boolean {
  return text.includes('/') && isSafeProject(text);
}
