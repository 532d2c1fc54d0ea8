import { type Html, html } from './html.ts';

export interface Page {
  readonly title: string;
  /** What stands in `main`; the browser keeps it up to date. */
  readonly content: Html;
  /** The state that the content was drawn from, for the script. */
  readonly state?: Html;
  /** The module that keeps the page alive, below `/web/`. */
  readonly script?: string;
  readonly temporalUi: string | null;
}

/** The frame of every page: landmarks, navigation, and nothing that needs a script. */
export function renderPage(page: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${page.title}</title>
  <link rel="icon" href="/web/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/web/style.css">
  <link rel="stylesheet" href="/web/queues.css">
  <link rel="stylesheet" href="/web/results.css">
  ${page.script !== undefined && html`<script type="module" src="/web/${page.script}"></script>`}
</head>
<body>
  <a class="skip" href="#main">Skip to the content</a>
  <header class="top">
    <a class="brand" href="/"><img src="/web/icon.svg" alt="" width="28" height="28">Sluice</a>
    <nav aria-label="Main">
      <a href="/#queues">Queues</a> <a href="/changes">Changes</a> <a href="/results">Results</a> <a href="/#releases">Releases</a>
      <a href="/#mirrors">Mirrors</a> <a href="/nodes">Nodes</a> <a href="/released/">Repositories</a>
      ${page.temporalUi !== null && html`<a href="${page.temporalUi}">Temporal</a>`}
    </nav>
    <p class="live" id="live" role="status"></p>
  </header>
  <main id="main" tabindex="-1">${page.content}</main>
  ${page.state}
</body>
</html>
`.markup;
}
