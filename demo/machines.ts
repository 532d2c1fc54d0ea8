import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../infra/bootstrap/find.ts';

/** Bytes that must be free for the machines of one system test, their preparation and all else of the demo. */
const room = 4 * 1024 ** 3;

const programs = ['qemu-system-x86_64', 'qemu-img', 'mmdebstrap', 'perl'];

/** Whether this machine can have the demo's system test on virtual machines. */
export function hasMachines(): boolean {
  return process.availableMemory() >= room && programs.every((name) => findProgram(name) !== undefined);
}

const label = 'debian-12-vm';

/** The keys of the demo's sluice.yaml for virtual machines. */
export const machineSettings = {
  platforms: {
    [label]: { format: 'deb', codename: 'bookworm', provider: 'vm', limits: { cpus: 1, memoryMiB: 384 } },
  },
  nodes: { vm: { maxServers: 4 } },
} as const;

const jobs = `      jobs:
        - systest-deb:
            nodeset:
              nodes:
                - { name: server, label: ${label} }
                - { name: client, label: ${label} }
`;

/** Has the consumer's own configuration put its system test on two machines. */
export async function wantMachines(sources: string): Promise<void> {
  const text = `# The system test of the DEBs wants a kernel and an init system of its own.
- project:
    check:
${jobs}    gate:
${jobs}`;
  await writeFile(join(sources, 'cdbnet', '.zuul.yaml'), text);
}
