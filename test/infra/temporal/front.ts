import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect as dial, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { must } from '../../../activities/process/run.ts';

/** Paths of a certificate and of its private key. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of a test's own. */
export interface Authority {
  /** Path of its certificate. */
  readonly ca: string;
  /** @param names as `DNS:NAME` and `IP:ADDRESS` */
  issue(name: string, names: readonly string[]): Promise<Issued>;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** @param directory takes its files */
export async function openAuthority(directory: string): Promise<Authority> {
  const openssl = (...args: string[]) => must('openssl', args, { cwd: directory });
  const root = ['-x509', ...newKey, '-days', '2', '-subj', '/CN=Authority', '-keyout', 'ca.key', '-out', 'ca.pem'];
  await openssl('req', ...root);
  return {
    ca: join(directory, 'ca.pem'),
    async issue(name, names) {
      const files = ['-keyout', `${name}.key`, '-out', `${name}.csr`];
      await openssl('req', ...newKey, '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names.join(',')}`, ...files);
      const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy'];
      await openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`);
      return { certificate: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
    },
  };
}

export interface FrontOptions {
  /** `HOST:PORT` of what is behind it, in plain. */
  readonly to: string;
  readonly as: Issued;
  /** Path of the authority whose certificates alone are let in; absent: everybody is. */
  readonly only?: string;
  readonly protocol: 'h2' | 'http/1.1';
  readonly host?: string;
}

export interface Front {
  readonly address: string;
  close(): void;
}

/** Takes TLS and hands on what is in it. */
export async function openFront({ to, as, only, protocol, host = '127.0.0.1' }: FrontOptions): Promise<Front> {
  const [toHost = '', toPort] = to.split(':');
  const [key, cert] = await Promise.all([readFile(as.key), readFile(as.certificate)]);
  const wanted = only === undefined ? {} : { ca: await readFile(only), requestCert: true, rejectUnauthorized: true };
  const server = createServer({ key, cert, ALPNProtocols: [protocol], ...wanted }, (from) => {
    const behind = dial(Number(toPort), toHost);
    from.pipe(behind).pipe(from);
    from.on('error', () => behind.destroy());
    behind.on('error', () => from.destroy());
  });
  server.on('tlsClientError', () => {});
  return listening(server, host);
}

/** Hands gRPC on for whoever shows the key, as Temporal Cloud does. */
export async function openKeyed(to: string, apiKey: string): Promise<Front> {
  const behind: ClientHttp2Session = connectHttp2(`http://${to}`);
  behind.on('error', () => {});
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    if (headers.authorization !== `Bearer ${apiKey}`) {
      const no = { 'grpc-status': '16', 'grpc-message': 'Request unauthorized.' };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...no }, { endStream: true });
      return;
    }
    const asked = behind.request(headers, { endStream: false });
    stream.pipe(asked);
    let trailers = {};
    asked.on('trailers', (given) => {
      trailers = given;
    });
    asked.on('error', () => stream.close());
    stream.on('error', () => asked.close());
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    asked.on('response', (answer) => {
      if (asked.readableEnded || answer['grpc-status'] !== undefined)
        return stream.respond(answer, { endStream: true });
      stream.respond(answer, { waitForTrailers: true });
      asked.pipe(stream);
    });
  });
  const front = await listening(server, '127.0.0.1');
  return {
    ...front,
    close() {
      front.close();
      behind.destroy();
    },
  };
}

async function listening(server: Server, host: string): Promise<Front> {
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { address: `${host}:${port}`, close: () => void server.close() };
}
