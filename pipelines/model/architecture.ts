/** The architectures that platforms are built in for, as Debian names them. */
export const builtInArchitectures = ['amd64', 'arm64'] as const;

const nodeNames: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'i386', arm: 'armhf' };
const rpmNames: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64' };

/** What Debian calls an architecture, by Node's name of it (`process.arch`). */
export function architectureOf(node: string): string {
  return nodeNames[node] ?? node;
}

/** What RPM and the kernel call an architecture, by Debian's name of it. */
export function rpmName(arch: string): string {
  return rpmNames[arch] ?? arch;
}

/** What dpkg calls an architecture that RPM and the kernel may call otherwise. */
export function debianName(arch: string): string {
  return Object.entries(rpmNames).find(([, name]) => name === arch)?.[0] ?? arch;
}

/** The built-in architectures that a machine of this one is not, all by Debian's names. */
export function foreignTo(own: string): readonly string[] {
  return builtInArchitectures.filter((arch) => arch !== own);
}

/** Shipped templates that there are others beside for each foreign architecture, and how those begin. */
const shipped: ReadonlyMap<string, string> = new Map([
  ['deb-package', 'deb-package'],
  ['deb-package-quick-gate', 'deb-package'],
  ['rpm-package', 'rpm-package'],
  ['rpm-package-quick-gate', 'rpm-package'],
]);

/** Whether a project with these templates can say which architectures it is built for. */
export function hasArchitectures(templates: readonly string[]): boolean {
  return templates.some((name) => shipped.has(name));
}

/** A project's templates, and those by which its packages are built for the foreign architectures among `arch`, too. */
export function templatesFor(
  { templates, arch = [] }: { readonly templates: readonly string[]; readonly arch?: readonly string[] | undefined },
  own: string,
): readonly string[] {
  const foreign = arch.filter((one) => one !== own);
  const families = [...new Set(templates.flatMap((name) => shipped.get(name) ?? []))];
  return [...new Set([...templates, ...families.flatMap((family) => foreign.map((one) => `${family}-${one}`))])];
}
