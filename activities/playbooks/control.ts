import { fileURLToPath } from 'node:url';
import type { Machine } from '../nodes/port.ts';

/** Settings, inventory, variables and plugins: nobody but root may write there. */
export const control = '/opt/sluice/control';

/**
 * Puts settings and plugins onto a machine where Ansible is to run.
 *
 * @returns whether Ansible is there
 */
export async function placeControl(machine: Machine, signal: AbortSignal): Promise<boolean> {
  const there = await machine.exec(['/bin/sh', '-c', 'command -v ansible-playbook'], { signal });
  if (there.code !== 0) return false;
  const { code, output } = await machine.exec(['mkdir', '-p', control], { signal });
  if (code !== 0) throw new Error(`cannot prepare playbooks: ${output}`);
  await machine.put(fileURLToPath(new URL('control', import.meta.url)), control);
  return true;
}
