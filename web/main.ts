import type {
  BuildRecord,
  BuildSetRecord,
  ConfigNotice,
  MirrorRecord,
  QueueSnapshot,
  ReleaseRecord,
  StatusView,
} from '../server/api/types.ts';
import { resultTone } from './jobs.ts';
import { readState, showLive } from './live.ts';
import { morph } from './morph.ts';
import { renderStatus } from './status.ts';
import { withWaits } from './waits.ts';

let status = readState<StatusView>('status');

/** The server's clock against this machine's. */
let skew = status.time - Date.now();

let drawing = false;

/** Draws what is known now, at most once a frame. */
function draw(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const main = document.querySelector('main');
    if (!main) return;
    const next = main.cloneNode(false) as Element;
    next.innerHTML = renderStatus(status, Date.now() + skew).markup;
    morph(main, next);
  });
}

async function reload(): Promise<void> {
  // A server that is away is told of by the stream of events.
  const response = await fetch('/api/status').catch(() => undefined);
  if (!response?.ok) return;
  status = (await response.json()) as StatusView;
  skew = status.time - Date.now();
  draw();
}

/** Puts a record at the front of its list, in place of what was known of it. */
function newest<T>(list: readonly T[], record: T, key: (record: T) => string): T[] {
  const others = list.filter((each) => key(each) !== key(record));
  return others.length === list.length
    ? [record, ...list].slice(0, 20)
    : list.map((each) => (key(each) === key(record) ? record : each));
}

function takeQueue(snapshot: QueueSnapshot): void {
  const queue = withWaits(snapshot, status.waits ?? {});
  const known = status.queues.some(({ workflow }) => workflow === queue.workflow);
  const queues = known
    ? status.queues.map((each) => (each.workflow === queue.workflow ? queue : each))
    : [...status.queues, queue].sort((a, b) => (a.workflow < b.workflow ? -1 : 1));
  status = { ...status, queues };
}

function takeBuild(build: BuildRecord): void {
  const others = status.running.filter(({ id }) => id !== build.id);
  status = { ...status, running: build.endTime === null ? [build, ...others] : others };
}

const takers = {
  queue: takeQueue,
  build: takeBuild,
  'build-set': (record: BuildSetRecord) => {
    status = { ...status, buildSets: newest(status.buildSets, record, ({ workflow }) => workflow) };
    // Why it failed stands in its builds, which only the server has.
    if (resultTone(record.result) === 'bad') void reload();
  },
  release: (record: ReleaseRecord) => {
    status = { ...status, releases: newest(status.releases, record, ({ id }) => id) };
  },
  configuration: (notice: ConfigNotice | null) => {
    status = { ...status, configuration: notice };
  },
  mirror: (record: MirrorRecord) => {
    status = { ...status, mirrors: newest(status.mirrors, record, ({ id }) => id) };
  },
};

const events = new EventSource('/api/events');
for (const [type, take] of Object.entries(takers) as [string, (record: never) => void][]) {
  events.addEventListener(type, ({ data }) => {
    take(JSON.parse(data) as never);
    draw();
  });
}
// What happened between the page and the stream, or while the stream was away, is read anew.
events.addEventListener('open', () => {
  showLive(true);
  void reload();
});
events.addEventListener('error', () => showLive(false));
setInterval(() => {
  if (!document.hidden) draw();
}, 1_000);
// No event says that a worker is silent.
setInterval(() => {
  if (!document.hidden && status.running.length > 0) void reload();
}, 30_000);
