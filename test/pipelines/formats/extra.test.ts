import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extraFault, namedBy, sayAbsent } from '../../../pipelines/formats/rpm/extra.ts';
import type { ExtraKind } from '../../../pipelines/formats/rpm/extra-kinds.ts';

const fedora = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<!-- groups -->
<comps><group><id>tools</id><name xml:lang="de">Wörk &amp; <![CDATA[<play>]]></name>
<packagelist><packagereq type='mandatory'>alpha</packagereq><packagereq>beta</packagereq></packagelist></group></comps>
`;
const advisory = (id: string, ...packages: readonly string[]) =>
  `<update><id>${id}</id><pkglist><collection>${packages.join('')}</collection></pkglist></update>`;
const alpha = '<package name="alpha" epoch="1" version="2" release="3" arch="noarch"/>';
const module = `---
document: modulemd
version: 2
data:
  name: web
  stream: 1.10
  version: 3
  summary: a
  license: {module: [MIT]}
  artifacts:
    rpms: [web-server-0:1-2.noarch, alpha-1:2-3.noarch]
...
---
document: modulemd-defaults
version: 1
data: {module: web}
...
`;

test('what clients of RPM repositories read has no fault', () => {
  assert.equal(extraFault('comps', fedora), null);
  assert.equal(extraFault('updateinfo', `\ufeff<updates>${advisory('A', alpha)}</updates>\n`), null);
  assert.equal(extraFault('updateinfo', '<updates/>'), null);
  assert.equal(extraFault('modules', module), null);
});

const faults: readonly [kind: ExtraKind, text: string, line: number, message: RegExp][] = [
  ['updateinfo', '', 1, /there is no <updates>/],
  ['updateinfo', fedora, 4, /the root element is <comps>, not <updates>/],
  ['updateinfo', '<updates>\n<a>\n</updates>', 3, /<\/updates> closes <a>/],
  ['updateinfo', '<updates>\n<a>', 2, /<a> is not closed/],
  ['updateinfo', '<updates/>\n<updates/>', 2, /behind the root element/],
  ['updateinfo', '<updates/>\n</updates>', 2, /closes nothing/],
  ['updateinfo', '\n<?xml version="1.0"?><updates/>', 2, /at the very beginning/],
  ['updateinfo', '<?xml version="1.0" encoding="latin1"?><updates/>', 1, /the encoding is latin1: make it UTF-8/],
  ['updateinfo', '<updates>\n\ntea & milk</updates>', 3, /written &amp;/],
  ['updateinfo', '<updates>\n<a b="tea & milk"/></updates>', 2, /& in b of <a> is written &amp;/],
  ['updateinfo', '<updates>\n1 < 2</updates>', 2, /a < in a text is written &lt;/],
  ['updateinfo', '<updates>\n<a b=1/></updates>', 2, /is no tag/],
  ['updateinfo', '<updates>\n<a b="1" b="2"/></updates>', 2, /has b twice/],
  ['updateinfo', '<updates>\n]]></updates>', 2, /written \]\]&gt;/],
  ['updateinfo', '<updates><!-- a -- b --></updates>', 1, /a comment has --/],
  ['updateinfo', '<updates><!-- a</updates>', 1, /is no tag/],
  ['updateinfo', '<updates>\n\u0001</updates>', 2, /control character/],
  ['updateinfo', '<updates>\n\ufffd</updates>', 2, /not text in UTF-8/],
  ['updateinfo', 'a<updates/>', 1, /outside of the root element/],
  ['comps', '<!DOCTYPE comps [<!ENTITY a "b">]>\n<comps/>', 1, /declares entities/],
  ['comps', '<comps/><!DOCTYPE comps>', 1, /before the root element/],
  ['modules', '', 1, /no document/],
  ['modules', 'just text', 1, /a document is a map/],
  ['modules', `${module}---\ndocument: modulemd-packager\n`, 19, /document is modulemd-packager: one of modulemd, /],
  ['modules', '---\ndocument: modulemd\nversion: two\n', 3, /version of the modulemd is no whole number/],
  ['modules', '---\ndocument: modulemd\nversion: 2\ndata:\n  name: a\n', 5, /data of the modulemd has no stream/],
  ['modules', '---\ndocument: modulemd-defaults\nversion: 1\n', 2, /the modulemd-defaults has no data/],
  ['modules', `${module}---\ndata: [\n`, 20, /^YAML: /],
];

for (const [kind, text, line, message] of faults) {
  test(`${kind}: ${JSON.stringify(text.slice(-40))} is refused in line ${line}`, () => {
    const found = extraFault(kind, text);
    assert.match(found?.message ?? '', message);
    assert.equal(found?.line, line, found?.message);
  });
}

test('packages that are named and not there are told, and counted where they are many', () => {
  const there = [
    { name: 'alpha', version: '1:2-3', arch: 'noarch' },
    { name: 'web-server', version: '1-2', arch: 'x86_64' },
  ];
  assert.deepEqual(sayAbsent('comps', fedora, there), ['comps: tools names beta, which is not in the repository']);
  assert.deepEqual(sayAbsent('modules', module, there), [
    'modules: web:1.10 names web-server-1-2.noarch, which is not in the repository',
  ]);
  const versions = Array.from({ length: 7 }, (_, index) => alpha.replace('release="3"', `release="${index}"`));
  const said = sayAbsent('updateinfo', `<updates>${advisory('A', ...versions)}</updates>`, there);
  assert.equal(said[0], 'updateinfo: A names alpha-1:2-0.noarch, which is not in the repository');
  assert.deepEqual([said.length, said.at(-1)], [6, 'updateinfo: and 1 more']);
  assert.deepEqual(namedBy('updateinfo', '<updates><update><id>A</id></update></updates>'), []);
});
