import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openWorkshop, type Workshop } from '../activities/build/workshop.ts';

let workshop: Workshop;

before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

/** Reading it looks for a network, and leaves a process behind that goes on looking. */
const spec = `%global look %(cat /proc/net/dev > /build/home/at-once; setsid sh -c 'while :; do cat /proc/net/dev > /build/home/later; done' </dev/null >/dev/null 2>&1 & echo x)
Name: macros
Version: 1
Release: 1
Summary: looks around %{look}
License: MIT
BuildArch: noarch
BuildRequires: gcc

%description
Harmless.

%install
mkdir -p %{buildroot}/usr/share/macros
grep -h eth0 /build/home/at-once /build/home/later && exit 3
touch %{buildroot}/usr/share/macros/fine

%files
/usr/share/macros
`;

test('a spec has no network while it is read, nor has what it left behind while dependencies are installed', async () => {
  const repository = await workshop.repository('macros');
  await repository.commit('Import', { 'macros.spec': spec });
  const built = await workshop.build(repository, { platform: 'rpm-debian-12' });
  assert.equal(built.result.result, 'SUCCESS', built.result.summary + built.log.slice(-2000));
});
