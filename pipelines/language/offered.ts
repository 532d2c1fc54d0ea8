import type { ParsedFile } from './parse-file.ts';

/**
 * The files that count: those that are only offered are left out, names and all, unless a project takes part by one of
 * their templates. A template of that name which a config-project has, or the project itself, is the one that it means.
 */
export function withoutUnused(files: readonly ParsedFile[]): readonly ParsedFile[] {
  const given = files.filter(({ origin }) => origin.offered !== true);
  if (given.length === files.length) return files;
  const uses = new Set(given.flatMap((file) => usedBy(file, given)));
  return files.filter(
    ({ origin, stanzas }) => origin.offered !== true || stanzas.templates.some((t) => uses.has(t.name)),
  );
}

/** Names of templates that a file's projects take part by, and that are not of their own. */
function usedBy({ origin, stanzas }: ParsedFile, given: readonly ParsedFile[]): readonly string[] {
  const named = stanzas.projects.flatMap(({ templates }) => templates);
  const isOwn = (name: string) =>
    given.some(
      (file) =>
        (file.origin.trusted || file.origin.project === origin.project) &&
        file.stanzas.templates.some((template) => template.name === name),
    );
  return named.filter((name) => !isOwn(name));
}
