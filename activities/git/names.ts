import { join } from 'node:path';

/** A name that came from outside and may not reach a path, a ref or a command line. */
export class BadName extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadName';
  }
}

const part = '[A-Za-z0-9][A-Za-z0-9._+-]*';
const projectPattern = new RegExp(`^${part}(/${part})*$`);
const branchPattern = /^[A-Za-z0-9_][A-Za-z0-9._+@-]*(\/[A-Za-z0-9_][A-Za-z0-9._+@-]*)*$/;
const objectPattern = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** @throws BadName unless `name` can be a project: letters, digits and `._+-`, in parts separated by `/`. */
export function checkProject(name: string): string {
  if (!isSafeProject(name)) {
    throw new BadName(`${show(name)} cannot be a project's name: use letters, digits and ._+- in parts separated by /`);
  }
  return name;
}

/** Whether `name` can be a project here. */
export function isSafeProject(name: string): boolean {
  return name.length <= 200 && projectPattern.test(name) && !name.endsWith('.git');
}

/** @throws BadName unless `name` can be a branch here: narrower than Git's own rule, so that it is safe anywhere. */
export function checkBranch(name: string): string {
  if (!isSafeBranch(name)) {
    throw new BadName(`${show(name)} cannot be a branch here: use letters, digits and ._+@- in parts separated by /`);
  }
  return name;
}

/** Whether `name` can be a branch here; a host may have others, which nobody here hears of. */
export function isSafeBranch(name: string): boolean {
  const parts = name.split('/');
  const dubious = name.includes('..') || parts.some((each) => each.endsWith('.lock') || each.endsWith('.'));
  return name.length <= 200 && !dubious && branchPattern.test(name);
}

/** Whether `text` is the full id of an object. */
export function isObjectId(text: string): boolean {
  return objectPattern.test(text);
}

/** @throws BadName unless `revision` is a full object id or a full ref name of the safe kind. */
export function checkRevision(revision: string): string {
  if (isObjectId(revision)) return revision;
  if (!revision.startsWith('refs/')) throw new BadName(`${show(revision)} is neither an object id nor a full ref`);
  checkBranch(revision.slice('refs/'.length));
  return revision;
}

/** Where a project's bare repository is. @throws BadName */
export function repositoryPath(root: string, project: string): string {
  return join(root, `${checkProject(project)}.git`);
}

/** A name as a message can show it: quoted, without control characters, bounded. */
export function show(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
