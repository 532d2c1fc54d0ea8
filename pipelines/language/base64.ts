/** What base64 text comes to, as Python's lenient decoder takes it. */
export interface Base64Text {
  /** The text without what is passed over; undefined when it cannot be decoded. */
  readonly text: string | undefined;
  /** The first character that is passed over, and is no white space. */
  readonly stray: string | undefined;
}

/**
 * Reads base64 as Python's `base64.b64decode` does without `validate`, and so Zuul: characters outside the alphabet are
 * passed over, and what follows a complete padding is not read. Too few characters for whole bytes are a fault.
 */
export function readBase64(text: string): Base64Text {
  const stray = /[^A-Za-z0-9+/=\s]/u.exec(text)?.[0];
  const clean = text.replace(/[^A-Za-z0-9+/=]/gu, '');
  let data = '';
  for (const [index, character] of [...clean].entries()) {
    if (character !== '=') data += character;
    // Padding counts from two characters of a group on; what comes earlier is passed over, too.
    else if (data.length % 4 >= 2) {
      const wanted = 4 - (data.length % 4);
      const pads = /^[^A-Za-z0-9+/]*/.exec(clean.slice(index))?.[0].length ?? 0;
      if (pads >= wanted) return { text: data + '='.repeat(wanted), stray };
    }
  }
  return { text: data.length % 4 === 0 && data.length > 0 ? data : undefined, stray };
}
