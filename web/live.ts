/** Says at the top of the page whether it is up to date. */
export function showLive(connected: boolean): void {
  const place = document.querySelector('#live');
  if (!place) return;
  place.className = connected ? 'live on' : 'live off';
  place.textContent = connected ? 'live' : 'reconnecting…';
}

/** The state that the server drew the page from. */
export function readState<T>(id: string): T {
  return JSON.parse(document.getElementById(id)?.textContent ?? 'null') as T;
}
