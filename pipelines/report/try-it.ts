import { currentBuilds } from '../jobs/build-set.ts';
import type { BuildSetState } from '../jobs/state.ts';
import type { TestRepositoryMetadata } from '../model/artifact.ts';
import type { Artifact } from '../model/job.ts';

/** Packages that a line names. */
const most = 20;

/** Nothing that a shell would take for more than text. */
const plainUrl = /^https?:\/\/[\w.:[\]/%+~-]+$/;
const plainName = /^[A-Za-z0-9][A-Za-z0-9.+_-]*$/;

/**
 * For each test repository that the jobs have made, a line to paste into a root shell that installs its packages, its
 * index checked with its own key.
 */
export function tryItLines(builds: BuildSetState): readonly string[] {
  const made = [...currentBuilds(builds).values()].filter(({ result }) => result === 'SUCCESS');
  return made.flatMap(({ artifacts }) =>
    artifacts.flatMap(({ url, metadata }) => {
      const about = repositoryIn(metadata);
      const line = about === null || !plainUrl.test(url) ? null : lineFor(url.replace(/\/$/, ''), about);
      return about === null || line === null ? [] : [`${about.platform}: ${line}`];
    }),
  );
}

/** Only the stage `publish` makes what has this type. */
function repositoryIn(metadata: Artifact['metadata']): TestRepositoryMetadata | null {
  return metadata?.type === 'test-repository' ? (metadata as unknown as TestRepositoryMetadata) : null;
}

/** Null where there is no package to install, or no key to check it with. */
function lineFor(url: string, { format, codename, key, packages = [] }: TestRepositoryMetadata): string | null {
  const names = packages.filter((name) => plainName.test(name)).slice(0, most);
  if (names.length === 0 || key === undefined) return null;
  return format === 'deb' ? aptLine(url, codename, names) : dnfLine(url, names);
}

function aptLine(url: string, codename: string, names: readonly string[]): string | null {
  if (!plainName.test(codename)) return null;
  const [keyring, list] = ['/etc/apt/keyrings/sluice-test.asc', '/etc/apt/sources.list.d/sluice-test.list'];
  return [
    `curl --create-dirs -fsSo ${keyring} ${url}/archive-key.asc`,
    `echo "deb [signed-by=${keyring}] ${url} ${codename} main" > ${list}`,
    'apt-get update',
    `apt-get install ${names.join(' ')}`,
  ].join(' && ');
}

function dnfLine(url: string, names: readonly string[]): string {
  const settings = ['gpgcheck=0', 'repo_gpgcheck=1', `gpgkey=${url}/archive-key.asc`];
  const options = settings.map((one) => ` --setopt=sluice-test.${one}`).join('');
  return `dnf install --repofrompath=sluice-test,${url}${options} ${names.join(' ')}`;
}
