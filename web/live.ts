/** Says at the top of the page whether it is up to date. `over`: nothing will change any more. */
export function showLive(connected: boolean | 'over'): void {
  const place = document.querySelector('#live');
  if (!place) return;
  place.className = connected === 'over' ? 'live' : connected ? 'live on' : 'live off';
  place.textContent = connected === 'over' ? '' : connected ? 'live' : 'reconnecting…';
}

/** The state that the server drew the page from. */
export function readState<T>(id: string): T {
  return JSON.parse(document.getElementById(id)?.textContent ?? 'null') as T;
}
