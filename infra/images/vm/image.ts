import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { moveWhole } from '../../../activities/files/write.ts';
import { asRoot, runInTerminal } from '../../../activities/process/in-terminal.ts';
import { quoted } from '../../../activities/process/quoted.ts';
import { type AptSettings, readAptSettings } from '../apt-settings.ts';
import type { OnProgress } from '../ensure.ts';
import { codenameOf, machineScripts, type System, scriptPath } from '../recipes.ts';
import { makeKeys, programs, programTexts } from './parts.ts';

/** What a minimal system needs besides APT to be a machine, and to be spoken to. */
const packages = [
  ...['linux-image-cloud-amd64', 'initramfs-tools', 'systemd-sysv', 'udev', 'kmod'],
  // systemd 262 only recommends the first.
  ...['mount', 'iproute2', 'openssh-server'],
];

/** Its file systems. */
const table = '/dev/vda / ext4 noatime 0 1';

/** Bytes of the disk, of which a new one uses a tenth. */
const diskSize = 4 * 1024 ** 3;

/**
 * Makes the image of a Debian release, with its own packages or with rpm and dnf on it, below a directory unless it is
 * there: a disk, a kernel with its initial file system, and the keys by which the machine and its owner know each other.
 *
 * @returns the image's own directory, named by its recipe's digest
 * @throws an error with the tool's last words when making it fails; nothing of it stays then
 */
export async function ensureVmImage(directory: string, system: System, onProgress: OnProgress): Promise<string> {
  const settings = await readAptSettings(codenameOf(system));
  const image = await vmImageNow(directory, system, settings);
  if (existsSync(image)) return image;
  onProgress(`making the image of a virtual machine with ${system.codename}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const made = await mkdtemp(join(directory, '.new-'));
  try {
    await make(made, system, settings);
    // Another process may have made the same meanwhile.
    if (!existsSync(image)) await moveWhole(made, image);
    return image;
  } finally {
    await removeAsRoot(made);
  }
}

/** The directory of the image as it would be made now, whether or not it is there. */
export async function vmImageNow(directory: string, system: System, settings?: AptSettings): Promise<string> {
  return join(directory, await digestOf(system, settings ?? (await readAptSettings(codenameOf(system)))));
}

/** Milliseconds in which what is in nobody's use may be in the making, or about to be used. */
export const youth = 86_400_000;

/**
 * Removes images that nothing stands on and nobody would make today.
 *
 * @param current directories of images as they would be made now
 * @param kept directories of images that snapshots stand on
 * @returns the names of those removed
 */
export async function removeVmImages(
  directory: string,
  { current, kept }: { readonly current: readonly string[]; readonly kept: readonly string[] },
): Promise<readonly string[]> {
  const stays = new Set([...current, ...kept].map((path) => basename(path)));
  const removed: string[] = [];
  for (const name of await readdir(directory).catch(() => [])) {
    const age = Date.now() - (await stat(join(directory, name))).mtimeMs;
    if (stays.has(name) || age < youth) continue;
    await removeAsRoot(join(directory, name));
    removed.push(name);
  }
  return removed;
}

async function make(directory: string, system: System, settings: AptSettings): Promise<void> {
  const [root, disk] = [join(directory, 'root'), join(directory, 'disk')];
  await makeKeys(directory);
  try {
    const options = bootstrapArguments(directory, machineScripts(system), settings);
    await runAsRoot('mmdebstrap', ...options, codenameOf(system), root, ...settings.sources);
    const file = await open(disk, 'wx');
    await file.truncate(diskSize);
    await file.close();
    const whole = 'lazy_itable_init=0,lazy_journal_init=0';
    await runAsRoot('mkfs.ext4', '-q', '-F', '-m', '0', '-E', whole, '-d', root, disk);
    const boot = await readdir(join(root, 'boot'));
    for (const name of ['vmlinuz', 'initrd']) {
      const from = boot.find((each) => each.startsWith(name)) ?? name;
      await runAsRoot('install', '-m', '644', join(root, 'boot', from), join(directory, name));
    }
  } finally {
    await removeAsRoot(root);
  }
}

function bootstrapArguments(directory: string, scripts: readonly string[], apt: AptSettings): string[] {
  const { sources, config, preferences } = apt;
  const https = sources.some((source) => source.includes('https:'));
  const setup = `sh ${quoted([join(programs, 'setup.sh')])} "$1" ${quoted([join(programs, 'guest'), directory])}`;
  return [
    ...['--variant=apt', '--format=directory', '--dpkgopt=force-unsafe-io'],
    `--include=${[...packages, ...(https ? ['ca-certificates'] : [])].join(',')}`,
    ...config
      .split('\n')
      .filter(Boolean)
      .map((line) => `--aptopt=${line}`),
    ...(preferences
      ? [`--customize-hook=printf '%s\\n' ${quoted([preferences])} > "$1/etc/apt/preferences.d/sluice"`]
      : []),
    ...scripts.map((name) => `--customize-hook=${runInside(name)}`),
    `--customize-hook=${setup}`,
    `--customize-hook=echo '${table}' > "$1/etc/fstab"`,
  ];
}

/** Words of a shell that run a script of `../scripts` in the system in `$1`. */
export function runInside(name: string): string {
  const path = `/root/${name}`;
  return `cp ${quoted([fileURLToPath(scriptPath(name))])} "$1${path}" && chroot "$1" sh ${path} && rm "$1${path}"`;
}

/** Leaves alone what a tool that was killed has left mounted inside. */
async function removeAsRoot(path: string): Promise<void> {
  await runAsRoot('rm', '-rf', '--one-file-system', path);
}

async function runAsRoot(...command: string[]): Promise<void> {
  await runInTerminal([...asRoot(), ...command], () => {});
}

/** Digest of all that goes into an image. */
async function digestOf(system: System, settings: AptSettings): Promise<string> {
  const scripts = await Promise.all(machineScripts(system).map((name) => readFile(scriptPath(name), 'utf8')));
  const made = [
    codenameOf(system),
    settings,
    packages,
    diskSize,
    table,
    ...(await programTexts(['setup.sh'])),
    scripts,
  ];
  return createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 32);
}
