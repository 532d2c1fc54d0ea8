import { parseRelations } from './relations.ts';

/**
 * Of many packages those that the installation of some may involve: what is essential, what the dependencies of these
 * name, with every alternative and provider, and what the dependencies of that name, and so on. A solver that is given
 * no others comes to the same: whatever set it finds, what nothing in it depends on may be left out.
 *
 * @param own paragraphs of the packages that are to be installed, as lists of packages have them
 * @param others paragraphs of what there is besides
 * @returns paragraphs of `others`, in their order
 */
export function reachable(own: readonly string[], others: readonly string[]): string[] {
  const offering = offers(others);
  const reached = new Set<number>();
  const asked = new Set<string>();
  const open = [...own];
  const take = (position: number) => {
    if (reached.has(position)) return;
    reached.add(position);
    open.push(others[position] ?? '');
  };
  others.forEach((one, position) => {
    if (/^yes$/i.test(field(one, 'Essential'))) take(position);
  });
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    for (const name of (['Pre-Depends', 'Depends'] as const).flatMap((key) => namesIn(field(one ?? '', key)))) {
      if (asked.has(name)) continue;
      asked.add(name);
      for (const position of offering.get(name) ?? []) take(position);
    }
  }
  return others.filter((_, position) => reached.has(position));
}

/** Names to the places of those packages that are called so, or provide it. */
function offers(packages: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const [position, one] of packages.entries()) {
    for (const name of [field(one, 'Package').trim(), ...namesIn(field(one, 'Provides'))]) {
      const there = found.get(name);
      if (there === undefined) found.set(name, [position]);
      else there.push(position);
    }
  }
  return found;
}

function namesIn(relations: string): readonly string[] {
  return relations === '' ? [] : parseRelations(relations).map(({ name }) => name);
}

/** Each with its lines that go on in the next one. */
const fields = {
  Package: /^Package:(.*)$/im,
  Essential: /^Essential:[ \t]*(\S*)[ \t]*$/im,
  Provides: /^Provides:(.*(?:\n[ \t].*)*)$/im,
  Depends: /^Depends:(.*(?:\n[ \t].*)*)$/im,
  'Pre-Depends': /^Pre-Depends:(.*(?:\n[ \t].*)*)$/im,
} as const;

function field(paragraph: string, name: keyof typeof fields): string {
  return fields[name].exec(paragraph)?.[1] ?? '';
}
