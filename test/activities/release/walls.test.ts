import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { attest } from '../../../activities/attest/attestation.ts';
import { readCommits, writeCommit } from '../../../activities/git/objects.ts';
import { createGpgSigner } from '../../../activities/sign/gpg.ts';
import { openKey } from '../../../activities/sign/key.ts';
import { blobPath } from '../../../activities/storage/filesystem/blob-store.ts';
import { readManifest } from '../../../activities/storage/manifest.ts';
import type { PackagesManifest } from '../../../pipelines/model/artifact.ts';
import { dssePayload, type Envelope, readEnvelope, type Statement } from '../../../pipelines/model/provenance.ts';
import { makeCommit, setBranch } from '../git/repository.ts';
import {
  build,
  inputFor,
  merged,
  mergeState,
  publish,
  push,
  record,
  releaseJob,
  releaseWorld,
  runRelease,
  shown,
  stateOf,
  storeManifest,
  type World,
} from './world.ts';

/** What the signer is asked for a whole build. */
async function packagesOf(world: World, manifest: string, commit: string) {
  const { format, files } = await world.activities.releasedFiles({ manifest });
  return { format, files, manifest, commit };
}

/** Puts a build of an unmerged state through all steps, and answers with what stopped it. */
async function tryUnmerged(world: World): Promise<{ readonly said: string; readonly shown: readonly string[] }> {
  await merged(world, 'merged\n');
  const source = await push(world, 'evil\n', [(await world.host.branchTip('lib/alpha', 'main')) ?? '']);
  await record(world, await build(world, { source }));
  const said = await runRelease(world, releaseJob(source)).catch((error: Error) => error.message);
  return { said, shown: await shown(world) };
}

describe('S1: each wall alone, with the others believing everything', () => {
  test('S1: with no wall an unmerged change is released: the tests below can fail', async (t) => {
    const world = await releaseWorld(t, []);
    assert.deepEqual(await tryUnmerged(world), { said: 'released', shown: ['evil\n'] });
  });

  for (const wall of ['release stage', 'signer', 'publisher'] as const) {
    test(`S1: the ${wall} alone stops it, and says so`, async (t) => {
      const stopped = await tryUnmerged(await releaseWorld(t, [wall]));
      assert.match(stopped.said, new RegExp(`^refused by the ${wall}: commit [0-9a-f]{12} is not on the branch main`));
      assert.deepEqual(stopped.shown, []);
    });
  }

  test('S1: with all of them what was merged is released', async (t) => {
    const world = await releaseWorld(t);
    const source = await merged(world, 'good\n');
    await record(world, await build(world, { source }));
    assert.equal(await runRelease(world, releaseJob(source)), 'released');
    assert.deepEqual(await shown(world), ['good\n']);
  });
});

describe('S1: wall 2, the release stage', () => {
  test("S1: a job's input is a claim: commit, tree, project and branch are looked up", async (t) => {
    const world = await releaseWorld(t, ['release stage']);
    const good = await merged(world, 'good\n');
    const evil = await push(world, 'evil\n', [good.commit]);
    const refused = async (job: ReturnType<typeof releaseJob>) => (await world.plan(job)).refused ?? 'let through';
    assert.equal(await refused(releaseJob(good)), 'let through');
    assert.match(await refused(releaseJob(evil)), /is not on the branch main of lib\/alpha/);
    assert.match(await refused(releaseJob({ ...evil, tree: good.tree })), /is not on the branch main/);
    assert.match(
      await refused(releaseJob({ ...good, tree: evil.tree })),
      /has the tree [0-9a-f]{12}, not [0-9a-f]{12}/,
    );
    assert.match(await refused(releaseJob({ ...good, branch: 'other' })), /is not on the branch other/);
    assert.match(await refused(releaseJob({ ...good, project: 'lib/beta' })), /is not on the branch main of lib\/beta/);
    assert.match(await refused(releaseJob({ ...good, commit: 'HEAD' })), /is not on the branch/);
    const { build: identity, ...job } = releaseJob(evil);
    assert.match(
      await refused({ ...job, build: { ...identity, project: 'lib/beta' } }),
      /the job is about main of lib\/beta/,
    );
  });

  test('S1: what a merge brought in from the side was never a state of the branch', async (t) => {
    const world = await releaseWorld(t, ['release stage']);
    const base = await merged(world, 'base\n');
    const side = await push(world, 'side\n', [base.commit]);
    const merge = await makeCommit(world.repo, { parents: [base.commit, side.commit], files: { data: 'merge\n' } });
    await mergeState(world, await stateOf(world, merge));
    const of = (commit: string) => world.host.readMerged({ project: 'lib/alpha', branch: 'main', commit });
    assert.equal((await of(merge))?.tip, merge);
    assert.deepEqual(await of(base.commit), { ...base, tip: merge });
    assert.equal(await of(side.commit), null);
  });

  test('S1: a state far back on the branch is found, too', async (t) => {
    const world = await releaseWorld(t, ['release stage']);
    const first = await merged(world, 'first\n');
    const [start] = await readCommits(world.repo, [first.commit]);
    let commit = first.commit;
    for (let n = 0; start !== undefined && n < 70; n += 1) {
      commit = (await writeCommit(world.repo, { ...start, parents: [commit], message: `${n}\n` })).id;
    }
    await setBranch(world.repo, 'main', commit);
    assert.equal((await world.host.readMerged(first))?.tree, first.tree);
    const aside = await push(world, 'aside\n', [first.commit]);
    assert.equal(await world.host.readMerged(aside), null);
  });

  test('S1: it looks again right before publishing', async (t) => {
    const world = await releaseWorld(t, ['release stage']);
    const good = await merged(world, 'good\n');
    const later = await merged(world, 'later\n');
    const about = inputFor(await build(world, { source: later }), later);
    await setBranch(world.repo, 'main', good.commit);
    assert.match((await publish(world, about)).refused ?? '', /^refused by the release stage: commit .* is not on/);
    assert.deepEqual(await shown(world), []);
  });

  test('S1: what cannot be proven is built again, never promoted', async (t) => {
    const world = await releaseWorld(t, ['release stage']);
    const good = await merged(world, 'good\n');
    const unmerged = await build(world, { source: await push(world, 'evil\n', [good.commit]) });
    const url = 'http://sluice.example/repositories/test/x/';
    const why = async (manifest: string) =>
      (await world.activities.collect(inputFor(manifest, good))).rebuild[0]?.reason;
    const old = await build(world, { source: good, forge: ({ attestation: _, ...rest }) => rest });
    assert.match((await why(old)) ?? '', /no worker attests the build/);
    const poisoned = await build(world, { source: good, inputs: [{ url, manifest: unmerged }] });
    assert.match((await why(poisoned)) ?? '', /built with packages from .*, and commit .* is not on the branch main/);
    const unknown = await build(world, { source: good, inputs: [{ url, manifest: null }] });
    assert.match((await why(unknown)) ?? '', /nobody knows what they were built from/);
  });
});

describe('S1: wall 3, the signer', () => {
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const rewrite = (change: (said: PackagesManifest) => Partial<PackagesManifest>) => (manifest: PackagesManifest) => ({
    ...manifest,
    ...change(manifest),
  });

  test('S1: it signs no package of a build that it cannot prove by itself', async (t) => {
    const world = await releaseWorld(t, ['signer']);
    const good = await merged(world, 'good\n');
    const evil = await push(world, 'evil\n', [good.commit]);
    const [honest, unmerged] = [await build(world, { source: good }), await build(world, { source: evil })];
    const sign = async (manifest: string, commit = good.commit, more = {}) =>
      world.signer.signPackages({ ...(await packagesOf(world, manifest, commit)), ...more });
    assert.equal((await sign(honest)).length, 1);
    const refused = (work: Promise<unknown>, why: RegExp) =>
      assert.rejects(work, (error: Error) => {
        assert.match(error.message, /^refused by the signer: /);
        assert.match(error.message, why);
        return true;
      });
    await refused(sign(unmerged, evil.commit), /is not on the branch main/);
    await refused(sign(unmerged, good.commit), /has the tree [0-9a-f]{12}, not/);
    const forged = (change: Parameters<typeof rewrite>[0], source = evil) =>
      build(world, { source, forge: rewrite(change) });
    await refused(
      sign(await forged(({ source }) => ({ source: { ...source, ...good } }))),
      /not what its worker attests/,
    );
    const without = await build(world, { source: good, forge: ({ attestation: _, ...rest }) => rest });
    await refused(sign(without), /no worker attests/);
    const foreign = await build(world, { source: good, forge: (manifest) => attest(stranger, manifest) });
    await refused(sign(foreign), /attested by a worker that is not known here/);
    const borrowed = (await readManifest(world.store, honest)).attestation;
    await refused(sign(await forged(() => (borrowed ? { attestation: borrowed } : {}))), /not what its worker attests/);
    // Files of another build under the manifest of an honest one.
    const { files } = await world.activities.releasedFiles({ manifest: unmerged });
    await refused(sign(honest, good.commit, { files }), /of the build is sha256:.*, not sha256:/);
    await refused(
      sign(honest, good.commit, { files: [{ ...files[0], name: 'other.deb' }] }),
      /is no file of the build/,
    );
    await refused(sign(honest, good.commit, { format: 'rpm' }), /the build is of deb packages/);
    const { manifest: _m, commit: _c, ...asked } = await packagesOf(world, honest, '');
    await refused(world.signer.signPackages(asked), /nobody says which build/);
  });

  test('S1: nor one whose content, or whose name and version, is another than the build says', async (t) => {
    const world = await releaseWorld(t, ['signer']);
    const source = await merged(world, 'good\n');
    const manifest = await readManifest(world.store, await build(world, { source }));
    const renamed = manifest.files.map((file) => ({ ...file, package: 'openssl' }));
    const lying = await storeManifest(world, attest(world.builder, { ...manifest, files: renamed }));
    const ask = async (digest: string) => world.signer.signPackages(await packagesOf(world, digest, source.commit));
    await assert.rejects(ask(lying), /holds alpha 1\.0-1 all, and its build says openssl 1\.0-1 all/);
    const path = blobPath(join(world.directory, 'storage'), manifest.files[0]?.digest ?? '');
    await chmod(path, 0o644);
    await writeFile(path, 'something else');
    await assert.rejects(ask(await storeManifest(world, manifest)), /is stored as sha256:.* and is sha256:/);
  });

  test('S1: it signs no statement but the one that it finds itself', async (t) => {
    const world = await releaseWorld(t, ['signer']);
    const good = await merged(world, 'good\n');
    const manifest = await build(world, { source: good });
    const signed = await world.signer.signPackages(await packagesOf(world, manifest, good.commit));
    const step = { release: 'r', manifest, signed, about: inputFor(manifest, good) };
    const [digest = ''] = await world.activities.attest(step);
    const honest = JSON.parse((await world.store.read(digest)).toString()) as Statement;
    const ask = async (statement: unknown) =>
      world.signer.signStatements({ digests: [(await world.store.put(`${JSON.stringify(statement)}\n`)).digest] });
    assert.equal((await ask(honest)).length, 1);
    const { predicate } = honest;
    const { buildDefinition, runDetails } = predicate;
    const parameters = (change: object) => {
      const externalParameters = { ...buildDefinition.externalParameters, ...change };
      return { ...honest, predicate: { ...predicate, buildDefinition: { ...buildDefinition, externalParameters } } };
    };
    const evil = await push(world, 'evil\n', [good.commit]);
    const unmerged = await build(world, { source: evil });
    const forgeries: readonly [statement: unknown, why: RegExp][] = [
      [parameters({ merged: evil }), /is not on the branch main|has the tree|not so/],
      [parameters({ merged: { ...good, tree: evil.tree } }), /says what is not so/],
      [parameters({ source: evil }), /says what is not so/],
      [parameters({ merged: undefined }), /no statement about a package that was merged/],
      [{ ...honest, subject: [{ name: honest.subject[0]?.name, digest: { sha256: '0'.repeat(64) } }] }, /not so/],
      [{ ...honest, subject: [...honest.subject, { name: 'b', digest: { sha256: '1'.repeat(64) } }] }, /no statement/],
      [{ ...honest, more: 1 }, /says what is not so/],
      [
        {
          ...honest,
          predicate: {
            ...predicate,
            runDetails: {
              ...runDetails,
              byproducts: [runDetails.byproducts[0], { name: 'build manifest', digest: { sha256: unmerged.slice(7) } }],
            },
          },
        },
        /has the tree [0-9a-f]{12}, not/,
      ],
    ];
    for (const [statement, why] of forgeries) await assert.rejects(ask(statement), why);
  });

  test('S1: it signs no index that offers a package without a statement that it has signed itself', async (t) => {
    for (const format of ['deb', 'rpm'] as const) {
      const world = await releaseWorld(t, ['signer']);
      const source = await merged(world, 'good\n');
      const manifest = await build(world, { format, source });
      const request = await packagesOf(world, manifest, source.commit);
      const signed = await world.signer.signPackages(request);
      const name = signed[0]?.name ?? '';
      // A tree as the publisher would stage it, if somebody had signed the statement.
      const forged = JSON.stringify({ subject: [{ name, digest: { sha256: signed[0]?.after.digest.slice(7) } }] });
      const envelope = await world.store.put(JSON.stringify({ payload: btoa(forged), signatures: [] }));
      const step = { release: 'r', manifest, signed, envelopes: [envelope] };
      const staged = await world.activities.stageReleased(step);
      assert.equal(staged.outcome, 'staged');
      const index = staged.outcome === 'staged' ? staged.index.digest : '';
      await assert.rejects(
        world.signer.signIndex({ digest: index }),
        new RegExp(`offers ${name.replace('+', '.')}, which has no`),
      );
      const about = inputFor(manifest, source);
      await world.signer.signStatements({ digests: await world.activities.attest({ ...step, about }) });
      assert.ok((await world.signer.signIndex({ digest: index })).detached.digest);
    }
  });

  test('S1: nor one that leads to more than it can look at', async (t) => {
    const world = await releaseWorld(t, ['signer']);
    const ask = async (text: string) => world.signer.signIndex({ digest: (await world.store.put(text)).digest });
    const empty = await world.store.put('');
    const line = (path: string, digest = empty.digest) => ` ${digest.slice(7)} 0 ${path}\n`;
    const release = (more: string) => `Origin: x\nSHA256:\n${line('main/binary-amd64/Packages')}${more}`;
    assert.ok(await ask(release('')));
    await assert.rejects(ask(release(line('main/Contents-amd64'))), /is no list of packages/);
    await assert.rejects(ask(release(line('main/binary-amd64/Packages.xz'))), /is no list of packages/);
    await assert.rejects(
      ask(`${release('')}SHA512:\n ${'0'.repeat(128)} 0 main/binary-amd64/Packages\n`),
      /is not the SHA512/,
    );
    await assert.rejects(ask(`${release('')}MD5Sum:\n ${'0'.repeat(32)} 0 main/other/Packages\n`), /without a SHA-256/);
    const packages = await world.store.put('Package: a\nFilename: a.deb\nSHA1: 00\n');
    await assert.rejects(ask(release(line('x/Packages', packages.digest))), /package a has no SHA256/);
    const sources = await world.store.put('Package: a\nFiles:\n 00 1 a.tar.gz\n');
    await assert.rejects(ask(release(line('x/Sources', sources.digest))), /names a\.tar\.gz without a SHA256/);
    const put = async (text: string) => line('x/Packages', (await world.store.put(text)).digest);
    const stanza = `Package: a\nFilename: a.deb\nSHA256: ${'0'.repeat(64)}\n`;
    const unclear: readonly [list: string, why: RegExp][] = [
      [`${stanza}SHA512: ${'1'.repeat(128)}\n`, /package a has a SHA512, which nobody looks at/],
      [`${stanza}sha256: ${'1'.repeat(64)}\n`, /line 4 has sha256 a second time/],
      [`Package: b\nSHA256: ${'1'.repeat(64)}\n\r\n${stanza}`, /line 3 has control characters/],
      [`${stanza} \nSHA1: 0\n`, /line 4 is neither a field/],
      ['Package: a\nFilename: a.deb\nSHA256: zz\n', /"zz" is no SHA-256/],
    ];
    for (const [list, why] of unclear) await assert.rejects(ask(release(await put(list))), why);
    await assert.rejects(
      ask(release(line('x/Packages.gz', (await world.store.put('no gzip')).digest))),
      /cannot be unpacked/,
    );
    await assert.rejects(ask('<repomd>'), /repomd\.xml can be read in more ways than one: the XML document is cut off/);
    const good = '<updates/>';
    const entry = async ({ type = 'updateinfo', path = 'repodata/u.xml', text = good, size = 10, by = 'sha256' }) => {
      const checksum = `<checksum type="${by}">${(await world.store.put(text)).digest.slice(7)}</checksum>`;
      return `<data type="${type}">${checksum}<location href="${path}"/><size>${size}</size></data>`;
    };
    const repomd = (...data: readonly string[]) => `<?xml version="1.0"?><repomd>${data.join('')}</repomd>`;
    assert.ok(
      await ask(
        repomd(await entry({}), await entry({ type: 'group', path: 'repodata/c.xml', text: '<comps/>', size: 8 })),
      ),
    );
    const odd: readonly [Parameters<typeof entry>[0], RegExp][] = [
      [{ type: 'productid' }, /leads to repodata\/u\.xml \(productid\), which nobody looks at/],
      [{ by: 'sha1' }, /which nobody looks at/],
      [{ path: '../u.xml' }, /leads to \.\.\/u\.xml \(updateinfo\), which is not beside it/],
      [{ path: 'repodata/../../u.xml' }, /which is not beside it/],
      [{ size: 1 }, /repodata\/u\.xml has 10 bytes, not 1/],
      [{ type: 'group' }, /repodata\/u\.xml:1: the root element is <updates>, not <comps>/],
      [{ type: 'modules' }, /repodata\/u\.xml:1: a document is a map/],
      [{ path: 'repodata/u.xml.gz' }, /cannot be unpacked/],
    ];
    for (const [of, why] of odd) await assert.rejects(ask(repomd(await entry(of))), why);
    await assert.rejects(ask(repomd(await entry({}), await entry({}))), /and to another updateinfo/);
  });
});

describe('S1: wall 4, the publisher', () => {
  test('S1: it stages nothing by a statement that somebody else has signed', async (t) => {
    const world = await releaseWorld(t, ['publisher']);
    const source = await merged(world, 'good\n');
    const manifest = await build(world, { source });
    const signed = await world.signer.signPackages(await packagesOf(world, manifest, source.commit));
    const step = { release: 'r', manifest, signed };
    const [digest = ''] = await world.activities.attest({ ...step, about: inputFor(manifest, source) });
    const text = (await world.store.read(digest)).toString();
    const home = join(world.directory, 'other-keys');
    const other = createGpgSigner({ home, key: await openKey(home, 'Mallory <mallory@example.org>') });
    const { payload, payloadType, toSign } = dssePayload(text);
    const sig = btoa(await other.detach(toSign));
    const forge = async (envelope: Envelope) => [await world.store.put(`${JSON.stringify(envelope)}\n`)];
    const refused = async (envelopes: Awaited<ReturnType<typeof forge>>) => {
      const staged = await world.activities.stageReleased({ ...step, envelopes });
      return staged.outcome === 'refused' ? staged.reason : staged.outcome;
    };
    const [honest] = await world.signer.signStatements({ digests: [digest] });
    const envelope = readEnvelope((await readBlob(world, honest?.digest ?? '')).toString()).envelope;
    const evil = text.replaceAll(source.tree, '0'.repeat(40));
    const notSigned = /^refused by the publisher: the provenance statement of .* is not signed by the archive's key/;
    assert.match(await refused(await forge({ payload, payloadType, signatures: [{ keyid: 'x', sig }] })), notSigned);
    assert.match(await refused(await forge({ ...envelope, payload: btoa(evil) })), notSigned);
    assert.match(await refused(await forge({ ...envelope, signatures: [] })), notSigned);
    assert.equal(await refused(honest ? [honest] : []), 'staged');
  });

  test('S1: it looks again at all that is new before it shows it, and at the signature of the index', async (t) => {
    const world = await releaseWorld(t, ['publisher']);
    const source = await merged(world, 'good\n');
    const manifest = await build(world, { source });
    const signed = await world.signer.signPackages(await packagesOf(world, manifest, source.commit));
    const step = { release: 'r', manifest, signed };
    const digests = await world.activities.attest({ ...step, about: inputFor(manifest, source) });
    const envelopes = await world.signer.signStatements({ digests });
    const staged = await world.activities.stageReleased({ ...step, envelopes });
    if (staged.outcome !== 'staged') assert.fail(staged.outcome);
    const signatures = await world.signer.signIndex({ digest: staged.index.digest });
    const request = { format: 'deb', name: staged.name, before: null, signatures, merged: source } as const;
    await setBranch(world.repo, 'main', (await push(world, 'other\n')).commit);
    assert.match(
      (await world.activities.publishReleased(request)).refused ?? '',
      /^refused by the publisher: .* is not on/,
    );
    await setBranch(world.repo, 'main', source.commit);
    const directory = join(world.released, '.deb.generations', staged.name, 'provenance');
    const [file = ''] = await readdir(directory);
    const text = await readFile(join(directory, file), 'utf8');
    await writeFile(join(directory, file), text.replace(/"sig":".{20}/, '"sig":"AAAAAAAAAAAAAAAAAAAA'));
    assert.match((await world.activities.publishReleased(request)).refused ?? '', /is not signed by the archive's key/);
    await writeFile(join(directory, file), text);
    const home = join(world.directory, 'other-keys');
    const other = createGpgSigner({ home, key: await openKey(home, 'Mallory <mallory@example.org>') });
    const index = (await world.store.read(staged.index.digest)).toString();
    const put = async (made: Promise<string>) => world.store.put(await made);
    const theirs = {
      detached: await put(other.detach(index)),
      clear: await put(other.clear(index)),
      publicKey: await put(other.publicKey()),
    };
    const byOther = await world.activities.publishReleased({ ...request, signatures: theirs });
    assert.equal(byOther.published, false);
    assert.match(byOther.refused ?? '', /Release\.gpg: .* by the keys that the signer shows it is not good; start the/);
    await assert.rejects(world.activities.publishReleased({ ...request, name: '../../elsewhere' }), /is no file name/);
    assert.deepEqual(await shown(world), []);
    assert.deepEqual(await world.activities.publishReleased(request), { published: true });
    assert.deepEqual(await shown(world), ['good\n']);
  });
});

/** What the signer has put out. */
function readBlob({ directory }: World, digest: string): Promise<Buffer> {
  return readFile(blobPath(join(directory, 'signed'), digest));
}
