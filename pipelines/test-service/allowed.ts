/**
 * Whether an address is one of those, or below one of them: the same protocol, host and port, and a path that begins
 * with whole parts of theirs. Dots in paths are resolved before, as whoever fetches it does.
 *
 * @param places URLs that can be parsed
 */
export function isBelow(address: string, places: readonly string[]): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return places.some((place) => {
    const { origin, pathname } = new URL(place);
    const path = pathname.endsWith('/') ? pathname : `${pathname}/`;
    return url.origin === origin && `${url.pathname}/`.startsWith(path);
  });
}
