import type { Delivery } from './port.ts';
import type { ReadSecret, SecretReference } from './settings.ts';

/** What a forge's webhook is read with. */
export interface WebhookSettings {
  readonly connection: string;
  /** Without one nothing is taken. */
  readonly secret: SecretReference | undefined;
  readonly readSecret: ReadSecret;
}

export type Headers = Delivery['headers'];

/** A header by its name in small letters; empty where there is none, or several. */
export function header(headers: Headers, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}
