/** What an armoured text holds. */
export type ArmorKind = 'SIGNATURE' | 'PUBLIC KEY BLOCK';

const block = /^-----BEGIN PGP ([A-Z ]+)-----\n([\s\S]*?)^-----END PGP \1-----$/gm;
const lineLength = 64;

/** The packets of all armoured blocks of a kind in a text, in their order; none where it has no such block. */
export function dearmor(kind: ArmorKind, text: string): Buffer {
  // GnuPG takes lines that end with blanks, and those of other systems.
  const found = [...text.replace(/[ \t\r]+$/gm, '').matchAll(block)].filter(([, of]) => of === kind);
  return Buffer.concat(
    found.map(([, , body = '']) => {
      const lines = body.split('\n');
      // Headers end with an empty line; an encoder that writes none begins with one all the same.
      const data = lines.slice(lines.indexOf('') + 1).filter((line) => !line.startsWith('='));
      return Buffer.from(data.join(''), 'base64');
    }),
  );
}

/** Writes packets as GnuPG armours them. */
export function armor(kind: ArmorKind, packets: Uint8Array): string {
  const lines =
    Buffer.from(packets)
      .toString('base64')
      .match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? [];
  return [`-----BEGIN PGP ${kind}-----`, '', ...lines, checksum(packets), `-----END PGP ${kind}-----`, ''].join('\n');
}

/** One block with the packets of all: APT reads the first block of a file and no other. */
export function joinArmored(kind: ArmorKind, texts: readonly string[]): string {
  const [only, ...others] = texts;
  if (only !== undefined && others.length === 0) return only;
  return armor(kind, Buffer.concat(texts.map((text) => dearmor(kind, text))));
}

/** Whether two texts that are signed in clear say the same by the same digest: one heading stands above all signatures. */
export function signedAlike(one: string, other: string): boolean {
  return signedPart(one) === signedPart(other);
}

/**
 * One text that bears the signatures of all.
 *
 * @param texts the same text, signed in clear by one key each, and alike
 */
export function joinClear(texts: readonly string[]): string {
  const [first = ''] = texts;
  return `${signedPart(first)}${joinArmored('SIGNATURE', texts.map(signatureOf))}`;
}

const signatureHead = '-----BEGIN PGP SIGNATURE-----';

/** A line of the text that began so would have a dash before it. */
function signedPart(text: string): string {
  return text.slice(0, text.lastIndexOf(`\n${signatureHead}`) + 1);
}

function signatureOf(text: string): string {
  return text.slice(signedPart(text).length);
}

/** The CRC-24 of RFC 4880, which rpm asks for. */
function checksum(bytes: Uint8Array): string {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x800000) === 0 ? crc << 1 : (crc << 1) ^ 0x1864cfb;
    crc &= 0xffffff;
  }
  return `=${Buffer.from([crc >> 16, (crc >> 8) & 0xff, crc & 0xff]).toString('base64')}`;
}
