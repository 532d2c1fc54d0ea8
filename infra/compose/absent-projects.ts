import type { ReviewHost } from '../../activities/review/port.ts';
import type { AbsentProject } from '../../server/api/types.ts';

/** Of so many projects that are missing the host is asked for what they are called now. */
const mostAsked = 20;

/** Projects that `sluice.yaml` names and their host does not show: nothing would ever be heard of them. */
export async function absentProjects(
  host: Pick<ReviewHost, 'connection' | 'listProjects' | 'nameNow'>,
  named: readonly string[],
): Promise<readonly AbsentProject[]> {
  if (named.length === 0) return [];
  const listed = new Set(await host.listProjects());
  const { connection } = host;
  const gone = named.filter((project) => !listed.has(project));
  const asked = gone.map(async (project, index) => {
    const now = index < mostAsked ? await host.nameNow?.(project).catch(() => null) : null;
    return { connection, project, now: now ?? null };
  });
  return Promise.all(asked);
}
