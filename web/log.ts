import type { BuildView } from '../server/api/types.ts';
import { renderBuild } from './build.ts';
import { readState, showLive } from './live.ts';
import { morph } from './morph.ts';

/** The heading that a build's log gives to a section. */
const section = /^=== \[(\d\d:\d\d:\d\d)\] (.*)$/;

/** Draws a log as it comes: sections that open and close, and a place that keeps to the end while the reader does. */
class LogView {
  readonly #place: Element;
  #body: HTMLElement;
  #rest = '';

  constructor(place: Element) {
    this.#place = place;
    place.replaceChildren();
    this.#body = document.createElement('pre');
    place.append(this.#body);
  }

  add(text: string): void {
    const atEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 40;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    let plain = '';
    for (const line of lines) {
      const found = section.exec(line);
      if (!found) {
        plain += `${line}\n`;
        continue;
      }
      this.#body.append(plain);
      plain = '';
      this.#open(found[2] ?? '', found[1] ?? '');
    }
    if (plain !== '') this.#body.append(plain);
    if (atEnd && window.scrollY > 0) window.scrollTo(0, document.body.scrollHeight);
  }

  end(): void {
    if (this.#rest !== '') this.#body.append(this.#rest);
    this.#rest = '';
  }

  #open(title: string, time: string): void {
    const details = document.createElement('details');
    details.open = true;
    const summary = document.createElement('summary');
    const clock = document.createElement('time');
    clock.textContent = time;
    summary.append(title, ' ', clock);
    this.#body = document.createElement('pre');
    details.append(summary, this.#body);
    this.#place.append(details);
  }
}

async function follow(id: string, name: string, place: Element): Promise<void> {
  const view = new LogView(place);
  const response = await fetch(`/api/builds/${id}/log?follow=1&name=${encodeURIComponent(name)}`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const chunk = await reader?.read();
    if (!chunk || chunk.done) break;
    view.add(chunk.value);
  }
  view.end();
}

async function refresh(id: string): Promise<BuildView> {
  const view = (await (await fetch(`/api/builds/${id}`)).json()) as BuildView;
  const place = document.querySelector('section.build');
  const next = document.createElement('div');
  next.innerHTML = renderBuild(view, Date.now()).markup;
  if (place && next.firstElementChild) morph(place, next.firstElementChild);
  return view;
}

async function watch(id: string): Promise<void> {
  const shown = new Set<string>();
  for (let view = readState<BuildView>('build'); ; view = await refresh(id)) {
    for (const { name } of view.logs.filter((log) => !shown.has(log.name))) {
      shown.add(name);
      const place = document.createElement('div');
      const heading = document.createElement('h2');
      heading.textContent = name;
      document.querySelector('#logs')?.append(heading, place);
      void follow(id, name, place);
    }
    showLive(view.build.endTime === null ? true : 'over');
    if (view.build.endTime !== null) return;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

document.querySelector('#logs')?.replaceChildren();
void watch(readState<BuildView>('build').build.id);
