import fc from 'fast-check';

/** Pieces that the rules of either format treat apart. */
const pieces = [
  ...['0', '00', '1', '01', '9', '10', '2147483647', '2147483648', '123456789012345678901234567890'],
  ...['a', 'A', 'z', 'rc', 'alpha', 'Z9', 'deb12u1', 'el9', 'fc', '.', '..', '+', '~', '~~', '^', '^^', '-', ':', '_'],
  ...['~rc1', '^git1', '+b1', '-1', '-0', '1:', '0:', ' ', '%', '$', '`', '\\', "'", '"', '/', '..', '=', '*'],
];

/** Versions put together at random from telling pieces, half of them starting with a digit. */
export const version: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('', '0', '1', '2.', '1:1'), fc.array(fc.constantFrom(...pieces), { maxLength: 6 }))
  .map(([start, rest]) => start + rest.join(''));

/** Pairs, a third of them alike but for one place: where the rules are decided. */
export const pair: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(version, version),
  fc.tuple(version, fc.constantFrom(...pieces), fc.nat()).map(([text, piece, at]) => {
    const place = at % (text.length + 1);
    return [text, text.slice(0, place) + piece + text.slice(place)] as const;
  }),
  fc.tuple(version, fc.nat()).map(([text, at]) => {
    const place = at % (text.length + 1);
    return [text, text.slice(0, place) + text.slice(place + 1)] as const;
  }),
);

/** The same pairs in every run, so that a difference can be looked at again. */
export function samplePairs(count: number): readonly (readonly [string, string])[] {
  return fc.sample(pair, { numRuns: count, seed: 20_260_101 });
}
