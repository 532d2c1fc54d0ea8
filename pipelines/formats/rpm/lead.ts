const magic = [0xed, 0xab, 0xee, 0xdb];

/** Bytes at the beginning of a package file that tell its format. */
export const leadLength = 5;

/**
 * The format of an RPM package file by its first bytes: 4 (rpm writes a 3 there, and means what it has written since
 * 2000), 6 (rpm writes a 4), or null for no package of either.
 */
export function rpmFormatOf(lead: Uint8Array): 4 | 6 | null {
  if (!magic.every((byte, index) => lead[index] === byte)) return null;
  const major = lead[4];
  return major === 3 ? 4 : major === 4 ? 6 : null;
}
