/**
 * The entries of a record one after the other, for those that may have a hundred thousand: a list of them would be as
 * large as the record.
 *
 * @param keep tells by its name which entries count; all where it is left out
 */
export function* entriesOf<T>(
  record: Readonly<Record<string, T>>,
  keep: (name: string) => boolean = () => true,
): Iterable<[name: string, value: T]> {
  for (const name of Object.keys(record)) if (keep(name)) yield [name, record[name] as T];
}
