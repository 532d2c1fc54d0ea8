/** The same label several times is said once. */
export function labelWords(label: string): string {
  const counts = Map.groupBy(label.split(' '), (one) => one);
  return [...counts].map(([one, { length }]) => (length === 1 ? one : `${one} ×${length}`)).join(' ');
}
