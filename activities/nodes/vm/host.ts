import { mustOn } from './hosts/must.ts';
import type { Host } from './hosts/port.ts';

/** How a machine's processor is made: by the kernel, or by translation, which works everywhere and is slow. */
export type Accelerator = 'kvm' | 'tcg';

/** The program that is a machine. */
export const emulator = 'qemu-system-x86_64';

/** The processor that a machine has. */
export const processors: Readonly<Record<Accelerator, string>> = { kvm: 'host', tcg: 'max' };

/** What this host makes machines of: a memory snapshot is good for the same alone. */
export interface Hardware {
  readonly accelerator: Accelerator;
  /** A type with its version, such as `pc-q35-7.2`. */
  readonly machine: string;
  /** The emulator's version. */
  readonly emulator: string;
}

/** What the emulator that a host has now would make. @throws when there is none */
export async function hardwareOf(host: Host, accelerator: Accelerator): Promise<Hardware> {
  const [types, version] = await Promise.all([
    mustOn(host, emulator, ['-machine', 'help']),
    mustOn(host, emulator, ['--version']),
  ]);
  return { accelerator, machine: newestMachine(types.stdout), emulator: version.stdout.split('\n')[0] ?? '' };
}

/** The type that `q35` stands for. @throws when the list does not say it */
export function newestMachine(list: string): string {
  const found = /^q35\s.*\(alias of (pc-q35-\S+)\)/m.exec(list)?.[1];
  if (found === undefined) throw new Error(`${emulator} knows no machine type q35`);
  return found;
}

/** Why a machine that was saved on one host cannot be restored on another; null when it can. */
export function mismatch(saved: Hardware, now: Hardware): string | null {
  const names = { accelerator: 'accelerator', machine: 'machine type', emulator: 'emulator' } as const;
  for (const key of ['machine', 'emulator', 'accelerator'] as const) {
    if (saved[key] !== now[key]) return `its ${names[key]} was ${saved[key]}, now it is ${now[key]}`;
  }
  return null;
}
