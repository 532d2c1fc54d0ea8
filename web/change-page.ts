import type { BuildRecord, BuildSetRecord, ChangeShown, QueueSnapshot } from '../server/api/types.ts';
import { renderChange } from './change.ts';
import { readState, showLive } from './live.ts';
import { morph } from './morph.ts';

let shown = readState<ChangeShown>('change');
const { id } = shown.change;

/** Milliseconds in which what happens together is read together. */
const together = 300;
let waiting = false;

function draw(): void {
  const main = document.querySelector('main');
  if (!main) return;
  const next = main.cloneNode(false) as Element;
  next.innerHTML = renderChange(shown, Date.now()).markup;
  morph(main, next);
}

async function reload(): Promise<void> {
  waiting = false;
  const response = await fetch(`/api/changes/${encodeURIComponent(id)}/story`);
  if (!response.ok) return;
  shown = (await response.json()) as ChangeShown;
  draw();
}

function soon(): void {
  if (waiting) return;
  waiting = true;
  setTimeout(() => void reload(), together);
}

/** The queues that held the change at the last look: one that lets it go is news, too. */
const held = new Set(shown.places.map(({ pipeline, queue }) => `${pipeline} ${queue}`));

function isInQueue({ pipeline, queue, items }: QueueSnapshot): boolean {
  const name = `${pipeline} ${queue}`;
  const before = held.has(name);
  const now = items.some(({ changes }) => changes.some((change) => change.id === id));
  if (now) held.add(name);
  else held.delete(name);
  return before || now;
}

const concerns: Readonly<Record<string, (record: never) => boolean>> = {
  build: ({ change }: BuildRecord) => change === id,
  'build-set': ({ change }: BuildSetRecord) => change === id,
  queue: isInQueue,
};

const events = new EventSource('/api/events');
for (const [type, does] of Object.entries(concerns)) {
  events.addEventListener(type, ({ data }) => {
    if (does(JSON.parse(data) as never)) soon();
  });
}
events.addEventListener('open', () => {
  showLive(true);
  soon();
});
events.addEventListener('error', () => showLive(false));
setInterval(() => {
  if (!document.hidden) draw();
}, 1_000);
