/**
 * What comes behind a site's URL in an address of it, by http or https.
 *
 * @returns null for an address elsewhere, and for what is none
 */
export function pathOnSite(text: string, url: string): string | null {
  if (!isAddress(text)) return null;
  const [base, address] = [withoutScheme(url), withoutScheme(text)];
  return address.toLowerCase().startsWith(base.toLowerCase()) ? address.slice(base.length) : null;
}

export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

function withoutScheme(url: string): string {
  return url.replace(/^https?:\/\//i, '');
}
