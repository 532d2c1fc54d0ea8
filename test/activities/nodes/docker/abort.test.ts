import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type Docker from 'dockerode';
import { execute } from '../../../../activities/nodes/docker/exec.ts';

test('R15: a program that is started while its job is being cancelled is ended', { timeout: 300_000 }, async () => {
  const caller = new AbortController();
  const program = new PassThrough();
  const killed: string[] = [];
  const container = {
    exec: async ({ Cmd }: { readonly Cmd: readonly string[] }) => ({
      start: async () => {
        if (Cmd[0] === 'sleep') {
          caller.abort(new Error('cancelled'));
          return program;
        }
        killed.push(Cmd.join(' '));
        program.end();
        return new PassThrough();
      },
    }),
  } as unknown as Docker.Container;
  const modem = { demuxStream: (from: PassThrough, to: PassThrough) => from.pipe(to, { end: false }) };
  const options = { signal: caller.signal };
  const run = execute({ modem } as unknown as Docker, container, { argv: ['sleep', 'infinity'], options });
  await assert.rejects(run, /cancelled/);
  assert.deepEqual(killed, ['/bin/sh -c kill -KILL -1']);
  if (!program.destroyed) await once(program, 'close');
});
