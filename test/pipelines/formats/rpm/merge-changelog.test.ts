import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitSpec } from '../../../../pipelines/formats/rpm/merge-changelog.ts';

const changelog = '* Thu Jan 01 2026 Dev <d@example.org> - 1-1\n- Say %pre-release, %build and %check in an entry.\n\n';

for (const section of [
  ...['%files', '%files data', '%files -n other', '%package doc', '%description doc', '%prep', '%conf', '%build'],
  ...['%generate_buildrequires', '%install', '%check', '%clean', '%verifyscript', '%sourcelist', '%patchlist'],
  ...['%pre', '%post', '%preun', '%postun -p /sbin/ldconfig', '%pretrans', '%posttrans', '%preuntrans', '%postuntrans'],
  ...['%triggerin -- foo', '%triggerun -- foo', '%triggerpostun -- foo', '%triggerprein -- foo', '%trigger -- foo'],
  ...['%filetriggerin -- /usr', '%transfiletriggerpostun -- /usr'],
]) {
  test(`P6: the changelog of a spec ends before ${section}`, () => {
    const [before, after] = ['Name: x\n\n%changelog\n', `${section}\nrest\n`];
    assert.deepEqual(splitSpec(before + changelog + after), { before, changelog, after });
  });
}

test('P6: macros that begin like a section are none', () => {
  const text = `${changelog}%prebuilt\n%files_of\n%build-it\n`;
  assert.deepEqual(splitSpec(`%changelog\n${text}`), { before: '%changelog\n', changelog: text, after: '' });
});
