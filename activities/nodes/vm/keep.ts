import { join } from 'node:path';
import type { TestStep } from '../port.ts';
import type { Lender, Running } from './lend.ts';
import { withMonitor } from './monitor.ts';
import { type Kept, type Places, snapshotsIn, writeRecord } from './records.ts';
import { saveMemory } from './save.ts';

/** MiB of disk that stay free. */
const reserve = 512;

/** What is known of a test on machines: where it is, and after which of its steps they were saved. */
export interface Reached {
  readonly step: TestStep | undefined;
  readonly steps: readonly TestStep[];
}

/** Where the machines of a lease are saved after its steps: in the directory of the first one. */
export function stepsOf([first]: readonly Running[]): string {
  return join(first?.directory ?? '', 'steps');
}

/** What is kept, and of whom. */
interface Keeping {
  readonly build: string;
  readonly running: readonly Running[];
  readonly reached: Reached;
}

/**
 * Saves the machines of a build as they are now, and ends them. What was saved of them after earlier steps is kept with
 * that. What was kept of the same build before goes.
 *
 * @throws EngineUnavailable when one of them is lost meanwhile; what there is of it is in the first one's directory
 */
export async function keepMachines(
  { places, installation }: Omit<Lender, 'ways'>,
  { build, running, reached }: Keeping,
): Promise<Kept> {
  const [first] = running;
  if (first === undefined) throw new Error(`there is no machine of ${build} to be kept`);
  // All is made in a machine's directory: whoever removes that has removed everything.
  const made = join(first.directory, 'kept');
  const { files } = first.host;
  await files.makeDirectory(made);
  for (const { line } of running) line.close();
  // They are in one network: one that went on would see the others go away.
  await Promise.all(running.map((each) => withMonitor(each, (monitor) => monitor.ask('stop'))));
  for (const [index, each] of running.entries()) {
    const own = join(made, String(index));
    await files.makeDirectory(own);
    await saveMemory(each, join(own, 'memory'));
    for (const name of ['disk', 'console.log']) await files.move(join(each.directory, name), join(own, name));
  }
  const machines = running.map(({ record: { name, snapshot, hostKey } }) => ({ name, snapshot, hostKey }));
  const { step, steps } = reached;
  if (steps.length > 0) await files.move(stepsOf(running), join(made, 'steps'));
  const kept: Kept = { build, installation, time: Date.now(), machines, ...(step && { step }), steps: [...steps] };
  await writeRecord({ host: first.host, directory: made }, 'kept.json', kept);
  await files.sync(made);
  await putKept(places, build, made);
  return kept;
}

/**
 * Moves what is kept of a build to its place, and what was kept of it before out of there, to go with the machine's
 * directory: removed in its place, that would look like the remains of an earlier removal, and whoever removes these
 * (`expire.ts`) would take what comes there next.
 */
export async function putKept({ host: { files }, kept }: Places, build: string, made: string): Promise<void> {
  const place = join(kept, build);
  await files.makeDirectory(kept);
  await files.move(place, `${made}-before`).catch(async (error) => {
    // There was none, or it has expired meanwhile.
    if (await files.has(place)) throw error;
  });
  await files.move(made, place);
}

/**
 * @param more bytes that are written besides
 * @throws an error that says so when the disk may not have room for what machines have in memory
 */
export async function requireRoom(places: Places, running: readonly Running[], more = 0): Promise<void> {
  const memory = new Map((await snapshotsIn(places)).map(({ id, memoryMiB }) => [id, memoryMiB]));
  const all = running.reduce((sum, { record }) => sum + (memory.get(record.snapshot) ?? 0), 0);
  const needed = Math.ceil(all + more / 2 ** 20);
  const free = Math.floor((await places.host.files.free(places.machines)) / 2 ** 20);
  if (free < needed + reserve) throw new Error(`${free} MiB of disk are free, and they need ${needed + reserve} MiB`);
}
