import { checked } from './names.ts';
import { RepositoryRefusal, type RepositorySettings } from './port.ts';

/** What a repository says of itself, with what is given; architectures are added. @throws RepositoryRefusal for another codename */
export function mergeSettings(
  there: RepositorySettings | null,
  given: Partial<RepositorySettings>,
): RepositorySettings {
  const codename = given.codename ?? there?.codename ?? '';
  if (there !== null && there.codename !== codename) {
    throw new RepositoryRefusal(`the repository is for ${there.codename}, not for ${codename}`);
  }
  const architectures = [...new Set([...(there?.architectures ?? []), ...(given.architectures ?? [])])].sort();
  for (const arch of architectures) checked('architecture', arch);
  const origin = checked('origin', given.origin ?? there?.origin ?? 'Sluice');
  return { origin, codename, architectures, debug: given.debug ?? there?.debug ?? false };
}
