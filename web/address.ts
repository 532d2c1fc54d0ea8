/** What this server offers is named by its path: the address by which containers reach it is nobody else's. */
export function ownPath(url: string): string {
  return /^https?:\/\/[^/]+(\/(?:repositories|released|api\/artifacts)\/.*)$/.exec(url)?.[1] ?? url;
}
