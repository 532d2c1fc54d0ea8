import { timed } from '../../process/timing.ts';
import type { ExecOptions, Machine, MachineNeed, TakeLimits } from '../port.ts';
import { lost } from './emulator.ts';
import { codeOf, execute, openChannel, quoted } from './exec.ts';
import { put, take } from './files.ts';
import type { Lender, Running } from './lend.ts';
import { withMonitor } from './monitor.ts';
import { hostsOf, urlInside } from './ways.ts';

/** What is taken out where the caller says nothing else. */
const usualLimits: TakeLimits = { files: 10_000, bytes: 4 * 1024 ** 3 };

/** A virtual machine, which can also join the network of its lease. */
export interface VirtualMachine extends Machine {
  /** Leaves the outer network for the inner one, with an address and all names. */
  join(address: string, names: string): Promise<void>;
}

export function createMachine({ directory, record, line }: Running, { ways }: Pick<Lender, 'ways'>): VirtualMachine {
  const system = (script: string, ...args: string[]) =>
    line.use(async (client) => {
      const channel = await openChannel(client, quoted(['sh', '-c', script, 'sh', ...args]));
      let said = '';
      for (const stream of [channel, channel.stderr]) {
        stream.on('data', (text: Buffer) => {
          said = (said + text.toString()).slice(-2_000);
        });
      }
      const code = await codeOf(channel);
      if (code !== 0) throw new Error(said.trim() || `it ended with ${code}`);
    });
  const quiet = () =>
    system('exec /usr/lib/sluice/quiet').catch((error: Error) => {
      if (error.name === 'EngineUnavailable') throw error;
      throw new Error(`programs in the machine cannot be ended: ${error.message}`);
    });
  const plug = (cable: 'outer' | 'inner', up: boolean) =>
    withMonitor(directory, (monitor) => monitor.ask('set_link', { name: cable, up })).catch((error) => {
      throw lost('plug a cable', error);
    });
  const close = async () => {
    await system(unplugged);
    // From outside: what a program inside does to its interfaces brings nothing back.
    await plug('outer', false);
    await plug('inner', false);
  };
  return {
    exec: (argv: readonly string[], options: ExecOptions) => timed(argv[0] ?? '', () => execute(line, argv, options)),
    put: (hostPath, target) => timed('copy', () => put(line, hostPath, target)),
    async take(from, to, limits = usualLimits) {
      await timed('quiet', quiet);
      return timed('copy', () => take(line, { from, to, limits }));
    },
    quiet: () => timed('quiet', quiet),
    async open() {
      await plug('outer', true);
      await system(plugged, hostsOf(ways));
    },
    close,
    origin: async () => record.snapshot,
    urlInside,
    async join(address, names) {
      await close();
      await plug('inner', true);
      await system(joined, address, names);
    },
  };
}

/** Directories that a need asks for. */
export async function furnish(machine: Machine, need: MachineNeed, signal: AbortSignal): Promise<void> {
  const { scratch = [], memory = [], mounts = [] } = need;
  const script =
    'for each; do mkdir -p -- "$each" && mount -t tmpfs -o size=1m,mode=0755,nosuid,nodev,noexec x "$each"; done';
  const make = async (...argv: string[]) => {
    const { code, output } = await machine.exec(argv, { signal });
    if (code !== 0) throw new Error(`directories cannot be made: ${output.trim()}`);
  };
  if (scratch.length > 0) await make('mkdir', '-p', '--', ...scratch);
  if (memory.length > 0) await make('sh', '-euc', script, 'sh', ...memory);
  for (const { source, target } of mounts) await machine.put(source, target);
}

const unplugged = `
for each in eth0 eth1; do
  ip addr flush dev $each
  ip link set dev $each down
done`;

const plugged = `set -eu
ip link set dev eth0 up
ip addr replace 10.0.2.15/24 dev eth0
ip route replace default via 10.0.2.2
name=$(hostname)
printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n%s' "$name" "$1" > /etc/hosts`;

const joined = `set -eu
ip link set dev eth1 up
ip addr replace "$1/24" dev eth1
printf '127.0.0.1 localhost\\n%s' "$2" > /etc/hosts`;
