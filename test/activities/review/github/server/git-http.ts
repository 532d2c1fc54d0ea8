import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { World } from './state.ts';

interface GitExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly input: Buffer;
}

/** Git's smart protocol for reading, for who shows a token as GitHub wants it. */
export async function serveGit(world: World, { request, response, url, input }: GitExchange): Promise<void> {
  const [, name = '', rest = ''] =
    /^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack)$/.exec(url.pathname) ?? [];
  const repository = world.repositories.find(({ fullName }) => fullName === name);
  const [, secret = ''] = (request.headers.authorization ?? '').split(' ');
  const [user, token] = Buffer.from(secret, 'base64').toString().split(':');
  const known = [world.token.value, `ghs_${world.appId}`].includes(token ?? '');
  if (user !== 'x-access-token' || !known) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end();
    return;
  }
  if (repository === undefined) {
    response.writeHead(404).end();
    return;
  }
  const advertise = rest === 'info/refs';
  const type = advertise ? 'application/x-git-upload-pack-advertisement' : 'application/x-git-upload-pack-result';
  response.writeHead(200, { 'content-type': type });
  if (advertise) response.write('001e# service=git-upload-pack\n0000');
  const args = ['upload-pack', '--stateless-rpc', ...(advertise ? ['--http-backend-info-refs'] : [])];
  const child = spawn('git', [...args, repository.directory], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdout.pipe(response);
  // It may have ended without reading.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
}
