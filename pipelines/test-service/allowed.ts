/** Dots, slashes and backslashes in percent-encoding, however often encoded: some hosts resolve them. */
const hidden = /%(?:25)*(?:2e|2f|5c)/i;

/**
 * Whether an address is one of those, or below one of them: the same protocol, host and port, and a path that begins
 * with whole parts of theirs. Dots in paths are resolved before, as whoever fetches it does; what would be dots or
 * slashes only there is refused.
 *
 * @param places URLs that can be parsed
 */
export function isBelow(address: string, places: readonly string[]): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return places.some((place) => {
    const { origin, pathname } = new URL(place);
    const path = pathname.endsWith('/') ? pathname : `${pathname}/`;
    const whole = `${url.pathname}/`;
    return url.origin === origin && whole.startsWith(path) && !hidden.test(whole.slice(path.length));
  });
}
