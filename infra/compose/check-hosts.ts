import { hardwareHere } from '../../activities/nodes/vm/accelerator.ts';
import { emulator } from '../../activities/nodes/vm/host.ts';
import { openSshHost, type SshHost } from '../../activities/nodes/vm/hosts/ssh/host.ts';
import { type FarHost, farHosts } from '../common/vm-hosts.ts';
import type { Config } from '../config/load.ts';
import { installationOf } from '../stack/installation.ts';

/** Something that keeps virtual machines from being lent on a host, and what to do about it. */
export interface HostFinding {
  readonly part: 'virtual machine hosts';
  readonly missing: string;
  readonly mend: string;
}

/** Bytes of disk that a host needs for one image, its snapshot and a few machines. */
const room = 4 * 1024 ** 3;

/** Debian's packages of the programs that a host needs. */
const packages = {
  [emulator]: 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  ...{ perl: 'perl', tar: 'tar', timeout: 'coreutils' },
} as const;
const programs = [emulator, 'qemu-img', 'perl', 'tar', 'timeout'] as const;

/** What of the keys of hosts cannot be read is among it. Nothing stays on a host but its directory. */
export async function checkHosts({
  nodes,
  data,
  server,
}: Pick<Config, 'nodes' | 'data' | 'server'>): Promise<readonly HostFinding[]> {
  const hosts = farHosts(nodes.vm.hosts, installationOf(data).id);
  const found = await Promise.all(hosts.map(check));
  return [...(hosts.length > 0 ? reaching(server) : []), ...found.flat()];
}

function reaching({ url }: Config['server']): readonly HostFinding[] {
  if (url !== undefined && !/^(127\.|localhost$|\[::1\]$)/.test(new URL(url).hostname)) return [];
  const missing =
    'machines on other hosts reach the server at `server.url`, which is not given, or leads to themselves';
  return [{ part: 'virtual machine hosts', missing, mend: 'give an address in `server.url` that they reach' }];
}

async function check(settings: FarHost): Promise<readonly HostFinding[]> {
  const { name, user, host: address, port } = settings;
  const host = openSshHost(settings);
  const mendHost = `look at nodes.vm.hosts.${name} in sluice.yaml, and at: ssh -p ${port} ${user}@${address}`;
  const finding = (missing: string, mend = mendHost): HostFinding => {
    return { part: 'virtual machine hosts', missing: `${name}: ${missing}`, mend };
  };
  try {
    await settings.key();
    await host.answers();
    const absent = await absentOn(host);
    if (absent.length > 0) {
      const needed = [...new Set(absent.map((program) => packages[program]))].join(' ');
      return [finding(`it has no ${absent.join(', ')}`, `there: apt-get install ${needed}`)];
    }
    await host.files.makeDirectory(settings.directory);
    const free = await host.files.free(settings.directory);
    const full = `${Math.floor(free / 2 ** 20)} MiB of disk are free at ${settings.directory}, and 4096 are needed`;
    await hardwareHere(host);
    return free < room ? [finding(full, 'make room there, or name another `directory`')] : [];
  } catch (error) {
    return [finding((error as Error).message)];
  } finally {
    host.close();
  }
}

async function absentOn(host: SshHost): Promise<readonly (typeof programs)[number][]> {
  const look = 'for each; do command -v "$each" > /dev/null || echo "$each"; done';
  const { stdout } = await host.run('sh', ['-c', look, 'sh', ...programs]);
  const absent = stdout.split('\n');
  return programs.filter((program) => absent.includes(program));
}
