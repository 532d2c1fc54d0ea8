import { attend, emptyDesk, type NodesDesk, type NodesMessage } from '../../pipelines/nodes/desk.ts';

const capacity = { maxServers: 40, maxCores: 160, maxRamGb: 640 };
const rounds = 2_000;

/** A request as jobs make it, for one to five machines. */
function ask(number: number): NodesMessage {
  const sizes = Array.from({ length: 1 + (number % 5) }, () => ({ cores: 4, ramGb: 8 }));
  const holder = `job/main/gate/lib/tinycdb/I${String(number).padStart(40, '0')},1/build-deb/1`;
  const token = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const where = { build: `build-deb-${token.slice(-16)}`, queue: 'build-amd64' };
  const request = { holder, token, sizes, priority: 100 * (1 + (number % 3)), ...where };
  return { type: 'ask', request, capacity };
}

/** A desk at which so many wait. */
function deskOf(waiting: number): NodesDesk {
  let desk = emptyDesk;
  for (let number = 0; desk.waiting.length < waiting; number += 1) desk = attend(desk, ask(number)).desk;
  return desk;
}

/** One gives back what it has and another one asks, again and again. */
function decisions(waiting: number) {
  let desk = deskOf(waiting);
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const tokens = desk.leases.slice(0, 1).map(({ token }) => token);
    for (const message of [{ type: 'release', tokens } as const, ask(1_000_000 + round)]) {
      const before = performance.now();
      desk = attend(desk, message).desk;
      times.push(performance.now() - before);
    }
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  const bytes = desk.waiting.reduce((sum, one) => sum + JSON.stringify(one).length, 0) / desk.waiting.length;
  return { waiting: desk.waiting.length, median: at(0.5), p99: at(0.99), bytes };
}

decisions(10);
const result = { decisions: [10, 100, 1_000].map(decisions), targets: { p99Ms: 10, bytes: 2_048 } };
console.log(
  JSON.stringify(result, (_key, value) => (typeof value === 'number' ? Math.round(value * 1e3) / 1e3 : value), 2),
);
