import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A source package of both formats that builds in a moment: one shell script, and every stage's jobs in the gate. */
const files: Readonly<Record<string, string>> = {
  'zuul.yaml': `- project:
    check:
      jobs: [noop]
    gate:
      fail-fast: true
      jobs:
        - build-deb
        - lint-deb
        - publish-deb
        - install-deb
        - systest-deb
        - build-rpm
        - lint-rpm
        - publish-rpm
        - install-rpm
        - systest-rpm
    post:
      jobs: [release-deb, release-rpm]
`,
  greeter: `#!/bin/sh
echo "Hello, \${1:-world}"
`,
  'sluice/smoke/greeter': `#!/bin/sh -e
test "$(greeter)" = 'Hello, world'
`,
  'debian/control': `Source: greeter
Section: misc
Priority: optional
Maintainer: Ada Developer <ada@example.org>
Build-Depends: debhelper-compat (= 13)
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: greeter
Architecture: all
Depends: \${misc:Depends}
Description: friendly words on demand
 Greets the world, or whoever is named on the command line.
`,
  'debian/rules': `#!/usr/bin/make -f

%:
	dh $@
`,
  'debian/install': `greeter usr/bin
`,
  'debian/changelog': `greeter (1.0) unstable; urgency=medium

  * First version.

 -- Ada Developer <ada@example.org>  Sun, 01 Nov 2026 12:00:00 +0000
`,
  'debian/copyright': `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2026 Ada Developer
License: Expat

License: Expat
 Do with it whatever you like.
`,
  'debian/source/format': `3.0 (native)
`,
  'greeter.spec': `Name:           greeter
Version:        1.0
Release:        1
Summary:        Friendly words on demand
License:        MIT
Group:          Applications/Text
URL:            https://example.org/greeter
Source0:        %{name}-%{version}.tar.gz
BuildArch:      noarch

%description
Greets the world, or whoever is named on the command line.

%prep
%setup -q

%install
install -D -m 755 greeter %{buildroot}%{_bindir}/greeter

%files
%{_bindir}/greeter

%changelog
`,
};

/** A package like `greeter` that needs it. */
export interface Like {
  readonly name: string;
  /** Dependency on greeter, as each format writes it. */
  readonly needs: { readonly deb: string; readonly rpm: string };
}

/** Writes the sources of `greeter`, or of one like it, into an empty directory. */
export async function writeGreeter(directory: string, like?: Like): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const [path, text] = like === undefined ? [name, content] : [rename(name, like), rename(content, like)];
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    if (text.startsWith('#!')) await chmod(file, 0o755);
  }
}

function rename(text: string, { name, needs }: Like): string {
  return text
    .replaceAll('greeter', name)
    .replace(/^Depends: /m, `Depends: ${needs.deb}, `)
    .replace('BuildArch:      noarch\n', `BuildArch:      noarch\nRequires:       ${needs.rpm}\n`);
}
