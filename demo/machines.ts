import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../infra/bootstrap/find.ts';
import { tools } from '../infra/bootstrap/tools.ts';

/** Bytes that must be free for the machines of one system test, their preparation and all else of the demo. */
const room = 4 * 1024 ** 3;

/** What machines run by, and what their image is made by. */
const programs = tools.filter(({ program, part }) => part === 'virtual machines' || program === 'mmdebstrap');

/** Whether this machine can have the demo's system test on virtual machines. */
export function hasMachines(): boolean {
  return process.availableMemory() >= room && programs.every(({ program }) => findProgram(program) !== undefined);
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
