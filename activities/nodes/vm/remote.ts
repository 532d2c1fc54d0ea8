import type { Line } from '../ssh/line.ts';
import type { Remote } from '../ssh/remote.ts';

/** A virtual machine's own programs: `infra/images/vm/guest`. */
export function remoteOf(line: Line): Remote {
  const end = ['sh', '-c', 'echo 1 > /sys/fs/cgroup/sluice/cgroup.kill'];
  return { line, root: [], run: ['/usr/lib/sluice/run'], end };
}
