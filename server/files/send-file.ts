import type { FastifyReply, FastifyRequest } from 'fastify';
import type { StoredFile } from '../../activities/storage/port.ts';

export interface SendOptions {
  readonly type: string;
  readonly etag?: string;
  /** Content that never changes under its URL. */
  readonly immutable?: boolean;
}

/** What builds made is shown, never run: whatever it is, the browser takes it as data. */
const inert = {
  'content-security-policy': "sandbox; default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
  'x-content-type-options': 'nosniff',
};

/** Streams a file, whole or the one range that is asked for (RFC 9110, section 14). */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: SendOptions & { readonly content: StoredFile },
): Promise<FastifyReply> {
  const { content } = file;
  const { size } = content;
  reply.headers({ ...inert, 'content-type': file.type, 'accept-ranges': 'bytes' });
  if (file.etag !== undefined) reply.header('etag', `"${file.etag}"`);
  reply.header('cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  const range = parseRange(request.headers.range, size);
  if (range === 'unsatisfiable') {
    await content.close();
    return reply
      .code(416)
      .headers({ 'content-range': `bytes */${size}`, 'content-type': 'application/json' })
      .send({ error: `the file has ${size} bytes` });
  }
  if (range === undefined) {
    if (size > 0) return reply.header('content-length', size).send(content.read());
    await content.close();
    return reply.send('');
  }
  const { start, end } = range;
  reply.code(206).headers({ 'content-range': `bytes ${start}-${end}/${size}`, 'content-length': end - start + 1 });
  return reply.send(content.read({ start, end }));
}

/** One range in bytes, ends included; undefined: the whole file (several ranges count as none). */
function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!found || (found[1] === '' && found[2] === '')) return undefined;
  const [first, last] = [found[1] ?? '', found[2] ?? ''];
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  xml: 'application/xml',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  gz: 'application/gzip',
  xz: 'application/x-xz',
  zst: 'application/zstd',
  deb: 'application/vnd.debian.binary-package',
  rpm: 'application/x-rpm',
};
const textual = /\.(log|txt|dsc|changes|buildinfo|asc|spec|diff|patch|md|ya?ml)$/;

/** The media type of a file by its name's ending. */
export function typeOf(name: string): string {
  if (textual.test(name)) return 'text/plain; charset=utf-8';
  return types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
}
