import { createInstallStage } from '../../activities/install/install-stage.ts';
import type { PackageReport } from '../../activities/install/steps.ts';
import type { StageRunner } from '../../activities/ports.ts';
import { recordTools, type ToolRun } from '../../activities/process/timing.ts';
import { readText } from '../../test/activities/install/stage.ts';
import { machineWorld } from '../../test/activities/systest/machine-world.ts';

const rounds = 3;
/** The package manager's own programs; that which lists the installed packages is asked by the stage for itself. */
const managers = new Set(['apt-get', 'dpkg']);

interface Round {
  /** Milliseconds of the whole stage, from the wish for a machine until it is given back. */
  readonly total: number;
  /** Until it has its machine. */
  readonly restore: number;
  readonly manager: number;
  /** Times that something was done in the machine, with the milliseconds of all of one kind. */
  readonly turns: Readonly<Record<string, { readonly times: number; readonly ms: number }>>;
}

type World = Awaited<ReturnType<typeof machineWorld>>;

/** One package through the install stage, on a machine that is restored for it. */
async function measure({ deps, run, label }: World): Promise<Round> {
  const stage = createInstallStage(deps);
  let restore = 0;
  const timing: StageRunner = (input, context) => {
    const machine: typeof context.lease.machine = async (need) => {
      const begin = performance.now();
      const lent = await context.lease.machine(need);
      restore += performance.now() - begin;
      return lent;
    };
    return stage(input, { ...context, lease: { ...context.lease, machine } });
  };
  const begin = performance.now();
  const nodes = [{ name: 'node', label }];
  const { value, tools } = await recordTools(() => run(timing, { stage: 'install', nodes }));
  const total = performance.now() - begin;
  const { result, said } = value;
  if (result.result !== 'SUCCESS') throw new Error(`${result.summary}\n${said}`);
  const { packages } = JSON.parse(await readText(deps, result, 'install.json')) as { packages: PackageReport[] };
  const ran = packages.flatMap(({ steps }) => steps.flatMap(({ commands }) => commands));
  if (ran.some(({ code }) => code !== 0)) throw new Error(`a program failed: ${JSON.stringify(ran)}`);
  const turns = Map.groupBy(tools, ({ tool }) => tool);
  const manager = sumOf(tools.filter(({ tool }) => managers.has(tool)));
  const kinds = [...turns].map(([tool, some]) => [tool, { times: some.length, ms: sumOf(some) }] as const);
  return { total, restore, manager, turns: Object.fromEntries(kinds) };
}

function sumOf(tools: readonly ToolRun[]): number {
  return tools.reduce((sum, { start, end }) => sum + end - start, 0);
}

function ratioOf({ total, restore, manager }: Round): number {
  return total / (restore + manager);
}

const ends: (() => unknown)[] = [];
try {
  const t = { after: (end: () => unknown) => void ends.push(end), diagnostic: () => {} };
  const world = await machineWorld(t);
  const all: Round[] = [];
  for (let round = 0; round < rounds; round += 1) all.push(await measure(world));
  const middle = all.toSorted((one, other) => ratioOf(one) - ratioOf(other))[Math.floor(rounds / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  const { total, restore, manager, turns } = middle;
  const result = {
    ...{ rounds, totalMs: total, restoreMs: restore, packageManagerMs: manager, turns },
    ...{ ratio: ratioOf(middle), targets: { ratio: 1.3 } },
  };
  console.log(
    JSON.stringify(result, (_, value) => (typeof value === 'number' ? Math.round(value * 1e3) / 1e3 : value), 2),
  );
} finally {
  for (const end of ends.toReversed()) await end();
}
