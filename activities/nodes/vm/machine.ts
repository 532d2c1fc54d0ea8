import { quoted } from '../../process/quoted.ts';
import { timed } from '../../process/timing.ts';
import type { ExecOptions, Machine } from '../port.ts';
import { execute, say } from '../ssh/exec.ts';
import { put, take, usualLimits } from '../ssh/files.ts';
import { readConsole } from './console.ts';
import { lost } from './emulator.ts';
import type { Lender, Running } from './lend.ts';
import { withMonitor } from './monitor.ts';
import { remoteOf } from './remote.ts';
import { restartMachine } from './restart.ts';
import { hostsOf, urlInside } from './ways.ts';

/** A virtual machine, which can also join the network of its lease. */
export interface VirtualMachine extends Machine {
  /** Joins the inner network, with an address there; `names` are lines of `/etc/hosts`, and all that it knows. */
  join(address: string, names: string): Promise<void>;
}

export function createMachine(running: Running, lender: Lender): VirtualMachine {
  const { record, line } = running;
  const { ways, urlThere = (url: string) => url } = lender;
  let reachesOut = false;
  /** Where it is among the machines of its lease. */
  let place: readonly [address: string, names: string] | undefined;
  const remote = remoteOf(line);
  const system = (script: string, ...args: string[]) => say(line, quoted(['sh', '-c', script, 'sh', ...args]));
  const quiet = async () => {
    await system('exec /usr/lib/sluice/quiet').catch((error: Error) => {
      if (error.name === 'EngineUnavailable') throw error;
      throw new Error(`programs in the machine cannot be ended: ${error.message}`);
    });
  };
  const plug = (cable: 'outer' | 'inner', up: boolean) =>
    withMonitor(running, (monitor) => monitor.ask('set_link', { name: cable, up })).catch((error) => {
      throw lost('plug a cable', error);
    });
  const unplug = async () => {
    await plug('outer', false);
    await plug('inner', false);
  };
  const close = async () => {
    reachesOut = false;
    place = undefined;
    await system(unplugged);
    // From outside: what a program inside does to its interfaces brings nothing back.
    await unplug();
  };
  const open = async () => {
    await plug('outer', true);
    await system(plugged, hostsOf(ways));
    reachesOut = true;
  };
  const join = async (...[address, names]: [string, string]) => {
    await plug('inner', true);
    await system(joined, address, names);
    place = [address, names];
  };
  return {
    exec: (argv: readonly string[], options: ExecOptions) => timed(argv[0] ?? '', () => execute(remote, argv, options)),
    put: (hostPath, target) => timed('copy', () => put(remote, hostPath, target)),
    async take(from, to, limits = usualLimits) {
      await timed('quiet', quiet);
      return timed('copy', () => take(remote, { from, to, limits }));
    },
    quiet: () => timed('quiet', quiet),
    open,
    close,
    restart: (signal) =>
      timed('restart', async () => {
        const [out, inner] = [reachesOut, place];
        // One that was given up may still boot: it is to reach nobody by that.
        await restartMachine(running, lender, signal).finally(() => unplug().catch(() => {}));
        await close();
        if (out) await open();
        if (inner !== undefined) await join(...inner);
      }),
    console: () => readConsole(running),
    origin: async () => record.snapshot,
    urlInside: (url) => urlInside(urlThere(url)),
    join,
  };
}

// By one program each: without KVM every one that is started costs a tenth of a second.

const unplugged = `
printf 'addr flush dev %s\\nlink set dev %s down\\n' eth0 eth0 eth1 eth1 | ip -force -batch - || :`;

const plugged = `set -eu
printf 'link set dev %s up\\naddr replace %s dev %s\\n%s\\n' eth0 10.0.2.15/24 eth0 'route replace default via 10.0.2.2' |
  ip -batch -
read -r name < /proc/sys/kernel/hostname
printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n%s' "$name" "$1" > /etc/hosts`;

const joined = `set -eu
printf 'link set dev %s up\\naddr replace %s/24 dev %s\\n' eth1 "$1" eth1 | ip -batch -
printf '127.0.0.1 localhost\\n%s' "$2" > /etc/hosts`;
