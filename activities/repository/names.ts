import { RepositoryRefusal } from './port.ts';

const patterns = {
  'package name': /^[A-Za-z0-9][A-Za-z0-9+._-]*$/,
  version: /^[A-Za-z0-9][A-Za-z0-9.+~^:_-]*$/,
  architecture: /^[a-z0-9][a-z0-9_-]*$/,
  codename: /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  origin: /^\P{Cc}*$/u,
  'file name': /^[A-Za-z0-9][A-Za-z0-9.+~^:_%-]*$/,
} as const;

/** Answers with the name itself. @throws RepositoryRefusal when it could lead out of its directory or confuse a tool. */
export function checked(kind: keyof typeof patterns, name: string): string {
  if (patterns[kind].test(name)) return name;
  throw new RepositoryRefusal(`${JSON.stringify(name)} is no ${kind} that a repository takes`);
}

/** Answers with the path itself. @throws RepositoryRefusal when an index's path leads out of its repository. */
export function insidePath(path: string): string {
  if (path !== '' && !path.startsWith('/') && !path.split('/').includes('..')) return path;
  throw new RepositoryRefusal(`the index names ${JSON.stringify(path)}, which is outside of the repository`);
}
