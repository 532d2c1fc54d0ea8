import type { ExtraText } from '../../../activities/repository/port.ts';

/** An advisory about packages, each `NAME VERSION RELEASE`, of no architecture. */
export function advisories(id: string, ...packages: readonly string[]): ExtraText {
  const named = packages.map((one) => {
    const [name, version, release] = one.split(' ');
    const file = `<filename>${name}-${version}-${release}.noarch.rpm</filename>`;
    return `<package name="${name}" epoch="0" version="${version}" release="${release}" arch="noarch">${file}</package>`;
  });
  const text =
    `<updates><update from="a@example.org" status="final" type="security" version="1"><id>${id}</id>` +
    `<title>${id}</title><issued date="2026-01-02 03:04:05"/><severity>Important</severity><description>d</description>` +
    `<pkglist><collection><name>x</name>${named.join('')}</collection></pkglist></update></updates>\n`;
  return { kind: 'updateinfo', from: 'updateinfo.xml', text };
}

/** A group of packages. */
export function group(id: string, ...packages: readonly string[]): ExtraText {
  const listed = packages.map((name) => `<packagereq type="mandatory">${name}</packagereq>`).join('');
  const about = `<id>${id}</id><name>The ${id}</name><description>d</description><uservisible>true</uservisible>`;
  const text = `<comps><group>${about}<packagelist>${listed}</packagelist></group></comps>\n`;
  return { kind: 'comps', from: 'comps.xml', text };
}

/** dnf5 takes no stream of `noarch`. */
const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

/** A stream of a module with one package, `NAME-EPOCH:VERSION-RELEASE.ARCH`. */
export function stream(name: string, called: string, artifact: string): ExtraText {
  const data = [
    ...[`name: ${name}`, `stream: "${called}"`, 'version: 1', 'context: c0ffee00', `arch: ${machine}`],
    ...['summary: s', 'description: d', 'license: {module: [MIT]}', `artifacts: {rpms: ["${artifact}"]}`],
  ];
  const text = ['---', 'document: modulemd', 'version: 2', 'data:', ...data.map((one) => `  ${one}`), '...', ''];
  return { kind: 'modules', from: 'modules.yaml', text: text.join('\n') };
}
