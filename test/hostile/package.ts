import type { Workshop } from '../activities/build/workshop.ts';

/** A program of the build, in debian/rules; `$(TOP)` is the directory that the packages are written to. */
export interface Trick {
  readonly name: string;
  /** Lines of shell that the build runs after it has made its package. */
  readonly script: string;
}

const control = (name: string) => `Source: ${name}
Section: misc
Priority: optional
Maintainer: Dev <dev@sluice.dev>
Standards-Version: 4.6.2

Package: ${name}
Architecture: all
Description: tries something
 Harmless.
`;

const rules = `#!/usr/bin/make -f
export TOP = /build/work
NAME = $(shell dpkg-parsechangelog -S Source)
clean build build-indep build-arch binary-arch:
binary-indep:
	mkdir -p debian/tmp/DEBIAN
	dpkg-gencontrol
	dpkg-deb --root-owner-group --build debian/tmp ..
	sh debian/trick
binary: binary-indep
`;

/** The smallest source package there is: no build dependencies, nothing compiled; it plays one trick. */
export async function hostileSource(workshop: Workshop, { name, script }: Trick) {
  const repository = await workshop.repository(name);
  await repository.commit('Import', {
    'debian/changelog': `${name} (1.0) unstable; urgency=low\n\n  * Upstream.\n\n -- Dev <dev@sluice.dev>  Mon, 06 Jan 2025 00:00:00 +0000\n`,
    'debian/control': control(name),
    'debian/rules': rules,
    'debian/source/format': '3.0 (native)\n',
    'debian/trick': script,
  });
  return repository;
}
