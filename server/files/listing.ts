import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ListRender } from '@fastify/static';
import { publicKeyFile } from '../../activities/repository/port.ts';
import { debugComponent } from '../../pipelines/formats/deb/release.ts';
import { type Html, html } from '../../web/html.ts';
import { repoFile, sourcesLines } from './client-files.ts';
import { holdsSources, separatesDebug } from './lists.ts';

export interface Shelf {
  /** Directory, and the path below which it is offered; that begins and ends with a slash. */
  readonly root: string;
  readonly prefix: string;
  /** Where people reach the server. */
  readonly url: string;
  /** Id of the repository in a `.repo` file. */
  readonly id: string;
}

/** A directory of repositories as a page: the way back, its content, and for a repository how to use it. */
export function listingOf(shelf: Shelf): ListRender {
  return (directories, files) => {
    const rows = [...directories.map(({ name, href }) => ({ name: `${name}/`, href: `${href}/` })), ...files];
    const path = pathOf(rows[0]?.href, shelf);
    const names = path.split('/').filter((part) => part !== '');
    const keyed = files.some(({ name }) => name === publicKeyFile);
    const above = html`<p>${wayBack(names)}</p>${usage(path, { shelf, keyed })}`;
    return listingPage(names.at(-1) ?? 'Repositories', above, rows);
  };
}

/** A page of links. @param above what stands before them */
export function listingPage(
  title: string,
  above: Html,
  rows: readonly { readonly name: string; readonly href: string }[],
): string {
  return html`<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<link rel="icon" href="/web/icon.svg"><link rel="stylesheet" href="/web/style.css"><main><h1>${title}</h1>
${above}
<ul class="files">${rows.map(({ name, href }) => html`<li><a href="${href}">${name}</a></li>`)}</ul></main>`.markup;
}

/** The directory that is listed; an empty one cannot say which it is. */
function pathOf(href: string | undefined, { prefix }: Shelf): string {
  return href === undefined ? prefix : decodeURIComponent(href.replace(/[^/]+\/?$/, ''));
}

/** Each directory on the way from the top, and the queues before it. */
function wayBack(names: readonly string[]): Html {
  const steps = names
    .slice(0, -1)
    .map((name, at) => html` › <a href="/${names.slice(0, at + 1).join('/')}/">${name}</a>`);
  return html`<a href="/">Sluice</a>${steps}`;
}

function usage(path: string, { shelf, keyed }: { readonly shelf: Shelf; readonly keyed: boolean }): Html | false {
  const directory = join(shelf.root, path.slice(shelf.prefix.length));
  const address = `${shelf.url}${path.replace(/\/$/, '')}`;
  const inside = names(directory);
  if (inside.includes('repodata')) {
    // That of debug packages is in the file of the repository above.
    if (names(join(directory, '..')).includes('repodata')) return false;
    const debug = separatesDebug(directory);
    const file = snippet('A .repo file for dnf', repoFile({ address, keyed, id: idOf(path, shelf), debug }));
    return html`${file}${fileLink(path, { shelf, keyed, kind: '.repo' })}`;
  }
  const [codename] = inside.includes('dists') ? names(join(directory, 'dists')) : [];
  if (codename === undefined) return false;
  const sources = holdsSources(directory);
  const lines = snippet('Lines for sources.list', sourcesLines({ address, codename, keyed, sources }));
  const usual = html`${lines}${fileLink(path, { shelf, keyed, kind: '.sources' })}`;
  if (!separatesDebug(directory)) return usual;
  const debug = snippet(
    'And for debug packages',
    sourcesLines({ address, codename, keyed, sources: false }, debugComponent),
  );
  return html`${usual}${debug}${fileLink(path, { shelf, keyed, kind: '-debug.sources' })}`;
}

/** Where a signed released repository has the same as a file. */
function fileLink(
  path: string,
  { shelf, keyed, kind }: { readonly shelf: Shelf; readonly keyed: boolean; readonly kind: string },
): Html | false {
  const file = `${path.replace(/\/$/, '')}${kind}`;
  return shelf.prefix === '/released/' && keyed && html`<p><a href="${file}">${file}</a></p>`;
}

function idOf(path: string, { prefix, id }: Shelf): string {
  return prefix === '/released/' ? repositoryId(id, path.slice(prefix.length).replace(/\/$/, '')) : id;
}

/** A line has an id of its own: clients may have several. @param id of the one that bears the format's name */
export function repositoryId(id: string, repository: string): string {
  return repository === 'rpm' ? id : `${id}-${repository}`;
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function snippet(title: string, text: string): Html {
  return html`<h2>${title}</h2><pre>${text}</pre>`;
}
