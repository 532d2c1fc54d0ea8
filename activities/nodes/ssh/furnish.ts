import type { Machine, MachineNeed } from '../port.ts';

/** Directories that a need asks for. */
export async function furnish(machine: Machine, need: MachineNeed, signal: AbortSignal): Promise<void> {
  const { scratch = [], memory = [], mounts = [] } = need;
  const script =
    'for each; do mkdir -p -- "$each" && mount -t tmpfs -o size=1m,mode=0755,nosuid,nodev,noexec sluice "$each"; done';
  const make = async (...argv: string[]) => {
    const { code, output } = await machine.exec(argv, { signal });
    if (code !== 0) throw new Error(`directories cannot be made: ${output.trim()}`);
  };
  if (scratch.length > 0) await make('mkdir', '-p', '--', ...scratch);
  if (memory.length > 0) await make('sh', '-euc', script, 'sh', ...memory);
  for (const { source, target } of mounts) await machine.put(source, target);
}
