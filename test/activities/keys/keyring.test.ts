import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeKey, keysNamed, readKeyring } from '../../../activities/keys/keyring.ts';

const day = 86_400;
const now = 1_795_000_000;

interface Made {
  readonly uid: string;
  readonly print: string;
  readonly validity?: string;
  readonly expires?: number;
  readonly algorithm?: number;
  readonly bits?: number;
  readonly uses?: string;
  readonly hash?: number;
}

/** A key as GnuPG 2.2 lists it. */
function listed({ uid, print, validity = 'u', expires, algorithm = 1, bits = 3072, uses = 'scSC', hash = 10 }: Made) {
  const id = print.slice(-16);
  return [
    `pub:${validity}:${bits}:${algorithm}:${id}:${now - day}:${expires ?? ''}::u:::${uses}::::::23::0:`,
    `fpr:::::::::${print}:`,
    `uid:${validity}::::${now - day}::AAAA::${uid}::::::::::0:`,
    `sig:::${algorithm}:${id}:${now - day}::::${uid}:13x::${print}:::${hash}:`,
  ].join('\n');
}

const ed = listed({ uid: 'Ed <ed@example.org>', print: 'A'.repeat(40) });
const expired = listed({ uid: 'Old <expired@example.org>', print: 'B'.repeat(40), validity: 'e', expires: now - day });
const twin = listed({ uid: 'Ed <ed@example.org>', print: 'C'.repeat(40) });

const named: readonly [name: string, ring: readonly string[], found: string][] = [
  ['ed@example.org', [expired, ed], 'A'],
  ['<ed@example.org>', [expired, ed], 'A'],
  ['ED@Example.org', [expired, ed], 'A'],
  ['Ed <ed@example.org>', [expired, ed], 'A'],
  ['example.org', [expired, ed], 'B A'],
  ['ed@example.org', [ed, twin], 'A C'],
  ['0xAAAAAAAAAAAAAAAA', [expired, ed], 'A'],
  [`${'AAAA '.repeat(9)}AAAA`, [expired, ed], 'A'],
  ['nobody', [expired, ed], ''],
];

for (const [name, ring, found] of named) {
  test(`S2: of ${ring.length} keys, ${name} means ${found || 'none'}`, () => {
    const keys = keysNamed(readKeyring(ring.join('\n')), name);
    assert.equal(keys.map(({ fingerprint }) => fingerprint[0]).join(' '), found);
  });
}

const judged: readonly [what: string, made: Partial<Made>, kind: 'unusable' | 'weak' | 'warnings', says: RegExp][] = [
  ['an expired key', { validity: 'e', expires: now - day }, 'unusable', /has expired on 2026-11-1\d/],
  ['a key that expires while nobody looks', { expires: now - day }, 'unusable', /has expired/],
  ['a revoked key', { validity: 'r' }, 'unusable', /revoked/],
  ['a key that ends in ten days', { expires: now + 10 * day }, 'warnings', /in 10 days/],
  ['a short RSA key', { bits: 1024 }, 'weak', /RSA of 1024 bits/],
  ['a DSA key', { algorithm: 17, bits: 2048 }, 'weak', /DSA/],
  ['a key that vouches for itself by SHA-1', { hash: 2 }, 'weak', /SHA-1/],
];

for (const [what, made, kind, says] of judged) {
  test(`S2, K3: ${what} is ${kind}`, () => {
    const [key] = readKeyring(listed({ uid: 'A <a@example.org>', print: 'D'.repeat(40), ...made }));
    assert.ok(key);
    const verdict = judgeKey(key, now * 1000);
    assert.match(verdict[kind].join('\n'), says);
    const others = (['unusable', 'weak', 'warnings'] as const).filter((one) => one !== kind);
    assert.deepEqual(
      others.flatMap((one) => verdict[one]),
      [],
    );
  });
}

test('S2: a key that only certifies cannot sign, one with a good subkey can', () => {
  const [only] = readKeyring(listed({ uid: 'A', print: 'D'.repeat(40), uses: 'cC' }));
  assert.equal(only?.signs, false);
  const sub = `ssb:u:255:22:1111111111111111:${now}::::::s:::\nfpr:::::::::${'E'.repeat(40)}:`;
  const [both] = readKeyring(`${listed({ uid: 'A', print: 'D'.repeat(40), uses: 'cSC' })}\n${sub}`);
  assert.equal(both?.signs, true);
  assert.deepEqual(both?.algorithms, [{ id: 22, bits: 255 }]);
  assert.deepEqual(both?.subkeys, ['E'.repeat(40)]);
});

test('K3: a key of which the part that signs ends soon is warned of', () => {
  const sub = (id: string, made: number, until: number) =>
    `ssb:u:255:22:${id.repeat(16)}:${made}:${until}:::::s:::\nfpr:::::::::${id.repeat(40)}:`;
  const primary = listed({ uid: 'A <a@example.org>', print: 'D'.repeat(40), uses: 'cSC' });
  const judge = (...subs: string[]) => {
    const [key] = readKeyring([primary, ...subs].join('\n'));
    assert.ok(key);
    return judgeKey(key, now * 1000).warnings.join();
  };
  assert.match(judge(sub('E', now - day, now + 9 * day)), /^the part of it that signs expires on [\d-]+, in 9 days: /);
  assert.equal(judge(sub('E', now - day, now + 9 * day), sub('F', now, now + 99 * day)), '', 'GnuPG takes the newest');
});

test('S2: a key whose secret part is kept elsewhere cannot sign', () => {
  const line = listed({ uid: 'A', print: 'D'.repeat(40) })
    .replace('pub:', 'sec:')
    .replace('::::::23', ':::#:::23');
  assert.equal(readKeyring(line)[0]?.signs, false);
});
