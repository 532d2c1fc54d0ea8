/**
 * What spec files call things and Debian calls otherwise. README.md of this folder shows the table to users; the
 * rules after it find most of the rest.
 */
const debianNames: Readonly<Record<string, readonly string[]>> = {
  'alsa-lib-devel': ['libasound2-dev'],
  'atlas-devel': ['libatlas-base-dev'],
  'audit-libs-devel': ['libaudit-dev'],
  'binutils-devel': ['binutils-dev'],
  'boost-devel': ['libboost-all-dev'],
  'bzip2-devel': ['libbz2-dev'],
  'cairo-devel': ['libcairo2-dev'],
  'check-devel': ['check'],
  'cppunit-devel': ['libcppunit-dev'],
  'cups-devel': ['libcups2-dev'],
  'cyrus-sasl-devel': ['libsasl2-dev'],
  'dbus-devel': ['libdbus-1-dev'],
  'dbus-glib-devel': ['libdbus-glib-1-dev'],
  'device-mapper-devel': ['libdevmapper-dev'],
  'docbook-style-xsl': ['docbook-xsl'],
  'docbook-utils': ['docbook-utils'],
  'e2fsprogs-devel': ['libext2fs-dev'],
  'elfutils-devel': ['libdw-dev', 'libelf-dev'],
  'elfutils-libelf-devel': ['libelf-dev'],
  'expat-devel': ['libexpat1-dev'],
  'fftw-devel': ['libfftw3-dev'],
  'flex-devel': ['libfl-dev'],
  'fuse-devel': ['libfuse-dev'],
  'fuse3-devel': ['libfuse3-dev'],
  'gcc-c++': ['g++'],
  'gcc-gfortran': ['gfortran'],
  'gd-devel': ['libgd-dev'],
  'gdbm-devel': ['libgdbm-dev', 'libgdbm-compat-dev'],
  'gettext-devel': ['gettext', 'libgettextpo-dev', 'autopoint'],
  ghostscript: ['ghostscript'],
  'glib2-devel': ['libglib2.0-dev'],
  'glibc-devel': ['libc6-dev'],
  'glibc-headers': ['libc6-dev'],
  'glibc-langpack-en': ['locales'],
  'glibc-static': ['libc6-dev'],
  'gmp-devel': ['libgmp-dev'],
  gnupg2: ['gnupg'],
  'gnutls-devel': ['libgnutls28-dev'],
  golang: ['golang-go'],
  'gperftools-devel': ['libgoogle-perftools-dev'],
  'gpgme-devel': ['libgpgme-dev'],
  'gtest-devel': ['libgtest-dev'],
  'gtk2-devel': ['libgtk2.0-dev'],
  'gtk3-devel': ['libgtk-3-dev'],
  'gzip-devel': ['zlib1g-dev'],
  hostname: ['hostname'],
  'iptables-devel': ['libxtables-dev', 'libip4tc-dev', 'libip6tc-dev'],
  'java-devel': ['default-jdk-headless'],
  'json-c-devel': ['libjson-c-dev'],
  'kernel-headers': ['linux-libc-dev'],
  'keyutils-libs-devel': ['libkeyutils-dev'],
  'kmod-devel': ['libkmod-dev'],
  'krb5-devel': ['libkrb5-dev'],
  'libX11-devel': ['libx11-dev'],
  'libXext-devel': ['libxext-dev'],
  'libacl-devel': ['libacl1-dev'],
  'libaio-devel': ['libaio-dev'],
  'libassuan-devel': ['libassuan-dev'],
  libatomic: ['libatomic1'],
  'libattr-devel': ['libattr1-dev'],
  'libblkid-devel': ['libblkid-dev'],
  'libcmocka-devel': ['libcmocka-dev'],
  'libcurl-devel': ['libcurl4-openssl-dev'],
  'curl-devel': ['libcurl4-openssl-dev'],
  'libdb-devel': ['libdb-dev'],
  'libedit-devel': ['libedit-dev'],
  'libev-devel': ['libev-dev'],
  'libevent-devel': ['libevent-dev'],
  'libffi-devel': ['libffi-dev'],
  'libgcrypt-devel': ['libgcrypt20-dev'],
  'libgpg-error-devel': ['libgpg-error-dev'],
  'libicu-devel': ['libicu-dev'],
  'libidn2-devel': ['libidn2-dev'],
  'libjpeg-devel': ['libjpeg-dev'],
  'libjpeg-turbo-devel': ['libjpeg-dev'],
  'libmnl-devel': ['libmnl-dev'],
  'libmount-devel': ['libmount-dev'],
  'libnl3-devel': ['libnl-3-dev', 'libnl-genl-3-dev', 'libnl-route-3-dev'],
  'libpcap-devel': ['libpcap-dev'],
  'libpng-devel': ['libpng-dev'],
  'libpsl-devel': ['libpsl-dev'],
  'librsvg2-devel': ['librsvg2-dev'],
  'libseccomp-devel': ['libseccomp-dev'],
  'libselinux-devel': ['libselinux1-dev'],
  'libsemanage-devel': ['libsemanage-dev'],
  'libsepol-devel': ['libsepol-dev'],
  'libsmartcols-devel': ['libsmartcols-dev'],
  'libsodium-devel': ['libsodium-dev'],
  'libssh-devel': ['libssh-dev'],
  'libssh2-devel': ['libssh2-1-dev'],
  'libstdc++-devel': ['libstdc++-12-dev'],
  'libstdc++-static': ['libstdc++-12-dev'],
  'libtiff-devel': ['libtiff-dev'],
  'libtool-ltdl-devel': ['libltdl-dev'],
  'libunistring-devel': ['libunistring-dev'],
  'libunwind-devel': ['libunwind-dev'],
  'libusb1-devel': ['libusb-1.0-0-dev'],
  'libusbx-devel': ['libusb-1.0-0-dev'],
  'libutempter-devel': ['libutempter-dev'],
  'libuuid-devel': ['uuid-dev'],
  'libuv-devel': ['libuv1-dev'],
  'libxcrypt-devel': ['libcrypt-dev'],
  'libxml2-devel': ['libxml2-dev'],
  'libxslt-devel': ['libxslt1-dev'],
  'libyaml-devel': ['libyaml-dev'],
  'libzstd-devel': ['libzstd-dev'],
  'lksctp-tools-devel': ['libsctp-dev'],
  'lm_sensors-devel': ['libsensors-dev'],
  'lua-devel': ['liblua5.4-dev'],
  'lz4-devel': ['liblz4-dev'],
  'lzo-devel': ['liblzo2-dev'],
  make: ['make'],
  'mesa-libGL-devel': ['libgl-dev'],
  'mpfr-devel': ['libmpfr-dev'],
  'ncurses-devel': ['libncurses-dev'],
  'ncurses-static': ['libncurses-dev'],
  'net-snmp-devel': ['libsnmp-dev'],
  'nettle-devel': ['nettle-dev'],
  'ninja-build': ['ninja-build'],
  'nspr-devel': ['libnspr4-dev'],
  'nss-devel': ['libnss3-dev'],
  'numactl-devel': ['libnuma-dev'],
  'openldap-devel': ['libldap-dev'],
  'openssl-devel': ['libssl-dev'],
  'p11-kit-devel': ['libp11-kit-dev'],
  'pam-devel': ['libpam0g-dev'],
  'pango-devel': ['libpango1.0-dev'],
  'pciutils-devel': ['libpci-dev'],
  'pcre-devel': ['libpcre3-dev'],
  'pcre2-devel': ['libpcre2-dev'],
  'perl-devel': ['libperl-dev'],
  'perl-generators': ['perl'],
  'perl-interpreter': ['perl'],
  pkgconf: ['pkg-config'],
  'pkgconf-pkg-config': ['pkg-config'],
  pkgconfig: ['pkg-config'],
  'popt-devel': ['libpopt-dev'],
  'postgresql-devel': ['libpq-dev'],
  'libpq-devel': ['libpq-dev'],
  'procps-ng': ['procps'],
  'procps-ng-devel': ['libproc2-dev'],
  'python-devel': ['python3-dev'],
  'python-rpm-macros': ['dh-python'],
  'python3-devel': ['python3-dev'],
  'python3-rpm-macros': ['dh-python'],
  'qt5-qtbase-devel': ['qtbase5-dev'],
  'readline-devel': ['libreadline-dev'],
  'rpm-devel': ['librpm-dev'],
  'ruby-devel': ['ruby-dev'],
  'rust-packaging': ['cargo'],
  'shadow-utils': ['passwd'],
  'slang-devel': ['libslang2-dev'],
  'snappy-devel': ['libsnappy-dev'],
  'sqlite-devel': ['libsqlite3-dev'],
  'systemd-devel': ['libsystemd-dev'],
  'systemd-rpm-macros': [],
  'systemd-units': [],
  'tcl-devel': ['tcl-dev'],
  'tk-devel': ['tk-dev'],
  'texinfo-tex': ['texinfo'],
  texlive: ['texlive'],
  'vim-common': ['xxd'],
  'vim-enhanced': ['vim'],
  which: ['debianutils'],
  'xfsprogs-devel': ['xfslibs-dev'],
  'xorg-x11-proto-devel': ['x11proto-dev'],
  'xz-devel': ['liblzma-dev'],
  'xz-lzma-compat': ['xz-utils'],
  'zlib-devel': ['zlib1g-dev'],
  'zlib-static': ['zlib1g-dev'],
  xz: ['xz-utils'],
  'redhat-rpm-config': [],
  'rpm-build': [],
};

/** Where Debian keeps what a capability stands for: files of the archive's index, any of which will do. */
export function debianFiles(capability: string): readonly RegExp[] {
  const [, kind, argument = ''] = /^(\w+)\((.+?)\)(?:\(.*\))?$/.exec(capability) ?? [];
  const name = literal(argument);
  if (capability.startsWith('/')) return [new RegExp(`^(?:usr/)?${literal(capability.replace(/^\/(?:usr\/)?/, ''))}$`)];
  if (kind === 'pkgconfig') return [new RegExp(`/pkgconfig/${name}\\.pc$`)];
  if (kind === 'cmake') return [new RegExp(`/cmake/.*(?:${name}Config|${name.toLowerCase()}-config)\\.cmake$`, 'i')];
  if (kind === 'perl') return [new RegExp(`/perl5?/(?:[\\d.]+/)?${literal(argument.replaceAll('::', '/'))}\\.pm$`)];
  return [];
}

/**
 * Debian packages that a capability may stand for, best first. Each is a list that goes together; the first one that
 * the archive has whole is taken.
 */
export function debianCandidates(capability: string): readonly (readonly string[])[] {
  const name = capability.replace(/\((?:x86-64|aarch-64|64bit)\)$/, '');
  const known = debianNames[name];
  if (known !== undefined) return [known];
  const python = /^python3?dist\((.+)\)$/.exec(name)?.[1];
  if (python !== undefined)
    return [
      [
        `python3-${python
          .replace(/^python-/, '')
          .replaceAll(/[_.]/g, '-')
          .toLowerCase()}`,
      ],
    ];
  if (!/^[A-Za-z0-9][A-Za-z0-9+._-]*$/.test(name)) return [];
  const lower = name.toLowerCase();
  const stem = lower.replace(/-(?:devel|static)$/, '');
  if (stem === lower)
    return [[lower], [lower.replace(/^perl-(.+)$/, 'lib$1-perl')], [lower.replace(/^python-/, 'python3-')]];
  const bare = stem.replace(/^lib/, '');
  return [[`lib${bare}-dev`], [`${stem}-dev`], [`${bare}-dev`], [`lib${bare.replace(/\d+$/, '')}-dev`]];
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
