import type { PackageFormat } from '../../pipelines/model/artifact.ts';

const program = '#include <stdio.h>\n#include <zlib.h>\nint main(void) { puts(zlibVersion()); return 0; }\n';
const makefile = 'hello: hello.c\n\t$(CC) -g $(CFLAGS) $(LDFLAGS) $< -o $@ -lz\nclean:\n\trm -f hello\n';

const control = `Source: hello-gate
Section: misc
Priority: optional
Maintainer: Dev <dev@sluice.dev>
Build-Depends: debhelper-compat (= 13), zlib1g-dev
Standards-Version: 4.6.2

Package: hello-gate
Architecture: any
Depends: \${shlibs:Depends}, \${misc:Depends}
Description: says which zlib there is
 It does.
`;

const rules =
  '#!/usr/bin/make -f\n%:\n\tdh $@\noverride_dh_auto_install:\n\tinstall -D hello debian/hello-gate/usr/bin/hello\n';

const spec = `Name: hello-gate
Version: 1.2
Release: 1%{?dist}
Summary: Says which zlib there is
License: MIT
Source0: %{name}-%{version}.tar.gz
BuildRequires: gcc, make, pkgconfig(zlib)

%description
It does.

%prep
%autosetup

%build
make CFLAGS="%{optflags}"

%install
install -D hello %{buildroot}%{_bindir}/hello

%post
echo ready > /var/lib/hello-gate

%postun
rm -f /var/lib/hello-gate

%files
%{_bindir}/hello
`;

/** A small compiled package of each format, with what it says of itself when it is tried. */
export const samples: Readonly<Record<PackageFormat, Readonly<Record<string, string>>>> = {
  deb: {
    'hello.c': program,
    Makefile: makefile,
    'debian/changelog': `hello-gate (1.2-1) unstable; urgency=low\n\n  * Upstream.\n\n -- Dev <dev@sluice.dev>  Mon, 06 Jan 2025 00:00:00 +0000\n`,
    'debian/control': control,
    'debian/rules': rules,
    'debian/source/format': '3.0 (quilt)\n',
  },
  rpm: { 'hello.c': program, Makefile: makefile, 'hello-gate.spec': spec },
};
