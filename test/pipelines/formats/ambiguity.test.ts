import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controlFault } from '../../../pipelines/formats/deb/control.ts';
import { metadataFault } from '../../../pipelines/formats/rpm/repodata.ts';

const plain = 'Package: a\nDescription: x\n y\n .\n\nPackage: b\nSHA256: 0\n';

const lists: readonly [text: string, fault: RegExp | undefined][] = [
  [plain, undefined],
  ['', undefined],
  [`${plain}package: c\n`, /^line 8 has package a second time/],
  ['Package: a\n\r\nPackage: b\n', /^line 2 has control characters/],
  ['Package: a\n  \nPackage: b\n', /^line 2 is neither/],
  [' x\nPackage: a\n', /^line 1 is neither/],
  ['Package a\n', /^line 1 is neither/],
  ['# Package: a\n', /^line 1 is neither/],
  ['#Package: a\n', /^line 1 is neither/],
  ['Package: a\0\n', /^line 1 has control/],
];

test('S1: control data that programs read in different ways is told from what all read alike', () => {
  for (const [text, fault] of lists) {
    const found = controlFault(text);
    if (fault === undefined) assert.equal(found, undefined, text);
    else assert.match(found ?? '', fault, text);
  }
});

const checksum = '<checksum type="sha256" pkgid="YES">00</checksum>';
const location = '<location href="a.rpm"/>';
const primary = (inside: string) => `<?xml version="1.0"?><metadata><package type="rpm">${inside}</package></metadata>`;

const documents: readonly [text: string, kind: 'primary' | 'repomd', fault: RegExp | undefined][] = [
  [primary(`${checksum}${location}`), 'primary', undefined],
  [primary(`${checksum}${checksum}${location}`), 'primary', /has not just one <checksum>/],
  [primary(`${checksum}<c:checksum>11</c:checksum>${location}`), 'primary', /has not just one <checksum>/],
  [primary(`<checksum>00<b>11</b></checksum>${location}`), 'primary', /more than text/],
  [primary(checksum), 'primary', /has not just one <location>/],
  [primary(`${checksum}<location xml:base="http://x/" href="a.rpm"/>`), 'primary', /leads elsewhere/],
  ['<metadata><c:package/></metadata>', 'primary', /has <c:package>/],
  ['<patterns/>', 'primary', /is <patterns>, not <metadata>/],
  [`<repomd><revision>1</revision><data type="primary">${checksum}${location}</data></repomd>`, 'repomd', undefined],
  [`<repomd><data type="primary">${location}</data></repomd>`, 'repomd', /just one <checksum>/],
];

test('S1: so are repomd.xml and primary.xml', () => {
  for (const [text, kind, fault] of documents) {
    const found = metadataFault(text, kind);
    if (fault === undefined) assert.equal(found, undefined, text);
    else assert.match(found ?? '', fault, text);
  }
});
