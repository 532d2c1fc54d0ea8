import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { createClaimCheck } from '../../../infra/temporal/payloads.ts';
import { change, entering, pipelineNamed } from '../../workflows/make.ts';

function setup() {
  const kept = new Map<string, Buffer>();
  const store = {
    put: async (content: Uint8Array | string | { readonly path: string }) => {
      const bytes = Buffer.from(content as Uint8Array);
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      kept.set(digest, bytes);
      return { digest, size: bytes.length };
    },
    read: async (digest: string) => kept.get(digest) ?? assert.fail(`no ${digest}`),
  };
  return { kept, codec: createClaimCheck(store) };
}

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const sizeOf = ({ data }: Payload) => data?.length ?? 0;

test('R4: what is over 32 KiB is kept compressed and travels by digest; the rest stays as it is', async () => {
  const { kept, codec } = setup();
  const small = payloadOf({ name: 'small' });
  const large = payloadOf({ text: 'large '.repeat(100_000) });
  const sent = await codec.encode([small, large]);
  assert.equal(sent[0], small);
  assert.ok(sizeOf(sent[1] ?? large) < 512);
  const [bytes] = [...kept.values()];
  assert.ok(bytes && bytes.length < 10_000, 'compressed');
  const [, read = small] = await codec.decode(sent);
  assert.deepEqual(defaultPayloadConverter.fromPayload(read), { text: 'large '.repeat(100_000) });
  assert.deepEqual(await codec.decode([small]), [small]);
});

test('R4: a reference that somebody copied from the page stands for the content', async () => {
  const { codec } = setup();
  const large = payloadOf({ text: 'large '.repeat(100_000) });
  const [sent = large] = await codec.encode([large]);
  const copied = payloadOf(JSON.parse(Buffer.from(sent.data ?? []).toString()));
  const [read = sent] = await codec.decode([copied]);
  assert.deepEqual(defaultPayloadConverter.fromPayload(read), { text: 'large '.repeat(100_000) });
});

test('what a workflow hands to a local activity is not kept', async () => {
  const { kept, codec } = setup();
  const large = payloadOf({ text: 'large '.repeat(100_000) });
  const context = { type: 'activity', namespace: 'default', isLocal: true } as const;
  assert.deepEqual(await codec.encode([large], context), [large]);
  assert.equal(kept.size, 0);
});

test('R4: a message about 1,000 changes with long texts is far below what Temporal takes', async () => {
  const { codec } = setup();
  const changes = Array.from({ length: 1_000 }, (_, index) =>
    change(`git:${index}`, { message: `${index}`.repeat(3_000) }),
  );
  const message = { id: 'one', pipeline: pipelineNamed('gate'), commands: entering(changes) };
  const [sent] = await codec.encode([payloadOf(message)]);
  assert.ok(sent && sizeOf(sent) < 512);
});
