import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseControl } from '../../../pipelines/formats/deb/control.ts';
import { parseRelease } from '../../../pipelines/formats/deb/release.ts';
import { evr, parsePrimary, parseRepomd } from '../../../pipelines/formats/rpm/repodata.ts';
import { parseXml } from '../../../pipelines/formats/rpm/xml.ts';

test('control data is read paragraph by paragraph, continuation lines included', () => {
  const text = 'Package: a\nDescription: short\n long\n .\n more\n\n\nPackage: b\nVersion: 1:2-3\n';
  assert.deepEqual(parseControl(text), [
    { Package: 'a', Description: 'short\nlong\n.\nmore' },
    { Package: 'b', Version: '1:2-3' },
  ]);
});

test('P4: case does not count in the names of control fields', () => {
  assert.deepEqual(
    parseControl('package: a\nVERSION: 1\npre-depends: b\nsha256: c\nMD5sum: d\nchecksums-sha256: e\n'),
    [{ Package: 'a', Version: '1', 'Pre-Depends': 'b', SHA256: 'c', MD5sum: 'd', 'Checksums-Sha256': 'e' }],
  );
});

test('a clear-signed Release reads as the plain one', () => {
  const plain = 'Origin: Sluice\nCodename: bookworm\nArchitectures: amd64 arm64\nSHA256:\n abc 12 main/Packages\n';
  const signed = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${plain}-----BEGIN PGP SIGNATURE-----\nxyz\n`;
  assert.deepEqual(parseRelease(signed), parseRelease(plain));
  assert.deepEqual(parseRelease(plain).files, [{ path: 'main/Packages', size: 12, sha256: 'abc' }]);
});

test('repository metadata names its files and packages', () => {
  const repomd =
    '<?xml version="1.0"?><repomd><revision>7</revision><data type="primary"><checksum type="sha256">ab</checksum>' +
    '<location href="repodata/ab-primary.xml.gz"/><size>10</size></data></repomd>';
  assert.deepEqual(parseRepomd(repomd), {
    revision: '7',
    files: [{ type: 'primary', path: 'repodata/ab-primary.xml.gz', size: 10, checksumType: 'sha256', checksum: 'ab' }],
  });
  const primary =
    '<metadata><package type="rpm"><name>a&amp;b</name><arch>noarch</arch><version epoch="1" ver="2" rel="3"/>' +
    '<checksum type="sha256" pkgid="YES">cd</checksum><size package="5"/><location href="a.rpm"/></package></metadata>';
  const [one] = parsePrimary(primary);
  assert.equal(one?.name, 'a&b');
  assert.equal(one && evr(one), '1:2-3');
  assert.equal(evr({ epoch: '0', version: '2', release: '3' }), '2-3');
});

test('a document that is cut off is refused, and entities do not grow', () => {
  assert.throws(() => parseXml('<a><b>'), RangeError);
  assert.throws(() => parseXml('<a></b>'), RangeError);
  const bomb = '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><a>&z;</a>';
  assert.throws(() => parseXml(bomb.slice(0, 30)), RangeError);
  assert.equal(parseXml('<a>&z;&#65;&lt;</a>').text, '&z;A<');
});
