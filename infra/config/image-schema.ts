import { z } from 'zod';
import type { DiskImage } from '../../pipelines/model/platform.ts';
import type { Resolve } from './mirrors.ts';
import { secretForms, secretSchema } from './secrets.ts';
import { hostKeySchema } from './static.ts';
import { durationSchema, sizeSchema } from './units.ts';

/** What is at a URL, or a file of this machine. */
function contentSchema(resolve: Resolve, what: string) {
  return {
    url: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !/^\w+:\/\/[^/?#]*@/.test(url), 'must have no user in it: whoever reads this file would have it')
      .optional()
      .describe(`Where ${what} is fetched from, once.`),
    file: z.string().min(1).transform(resolve).optional().describe('One on this machine, in the place of `url`.'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256: 64 hexadecimal digits, in lower case')
      .optional()
      .describe('Its SHA-256; must be given for `url`.'),
  };
}

/** A file in an ISO image. */
const pathInImage = z
  .string()
  .regex(/^\/?[\w.+-]+(\/[\w.+-]+)*$/, 'must be a path in the image: letters, digits and ._+-')
  .transform((path) => path.replace(/^\/?/, '/'));

const leastDisk = 1024 ** 2;

/** Seconds; the end of its console is told only while the preparation that it is part of goes on. */
const longestInstallation = 6_000;

/** `iso:` an image that installs a system. */
function isoSchema(resolve: Resolve) {
  return z.strictObject({
    ...contentSchema(resolve, 'an ISO image'),
    size: sizeSchema
      .refine((size) => size >= leastDisk && size % 512 === 0, 'must be at least 1MiB, in whole sectors of 512 bytes')
      .prefault('10GiB')
      .describe('Size of the empty disk.'),
    answers: z
      .string()
      .min(1)
      .transform(resolve)
      .optional()
      .describe('Directory on this machine with what the installer is to be told: a second CD has it.'),
    label: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,32}$/, 'must be 1 to 32 letters, digits, _ and -')
      .default('cidata')
      .describe('Name of that CD: `cidata`, `OEMDRV`, as the installer looks for it.'),
    kernel: pathInImage.optional().describe('Kernel in the image that is begun with, in the place of its boot loader.'),
    initrd: pathInImage
      .optional()
      .describe('Its initial file system; the files of `answers` are at the root of that, too. Given beside `kernel`.'),
    append: z.string().max(2_000).optional().describe('Its command line. Given beside `kernel`.'),
    memory: sizeSchema.prefault('2GiB').describe('Memory of the machine while it is installed.'),
    timeout: durationSchema
      .refine((seconds) => seconds <= longestInstallation, 'must be at most 100m: a preparation as a whole has 2 hours')
      .prefault('1h')
      .describe('By when it must have switched itself off; at most 100m.'),
  });
}

type Written = z.infer<ReturnType<typeof written>>;

function written(resolve: Resolve) {
  return z.strictObject({
    ...contentSchema(resolve, 'a qcow2 disk'),
    iso: isoSchema(resolve)
      .optional()
      .describe('An image that installs the disk by itself, in the place of `url` and `file`: `docs/machines.md`.'),
    maxSize: sizeSchema.prefault('20GiB').describe('Size of the file, and of the disk in it, at most.'),
    key: secretSchema(resolve)
      .optional()
      .describe(`Private key for a disk that needs no cloud-init, see \`docs/machines.md\`: ${secretForms}.`),
    hostKey: hostKeySchema.optional().describe('The public key of that disk’s `/etc/sluice/host_key`.'),
  });
}

/** `image:` a disk that virtual machines begin with. */
export function imageSchema(resolve: Resolve) {
  return written(resolve)
    .superRefine((image, context) => {
      for (const [path, message] of faultsOf(image)) context.addIssue({ code: 'custom', path: [...path], message });
    })
    .transform(({ iso, ...disk }): DiskImage => {
      if (iso === undefined) return disk;
      const { url, file, sha256, kernel, initrd = '', append = '', ...install } = iso;
      const boot = kernel === undefined ? {} : { boot: { kernel, initrd, append } };
      return { ...disk, url, file, sha256, install: { ...install, ...boot } };
    });
}

type Fault = readonly [path: readonly string[], message: string];

function faultsOf({ iso, key, hostKey, ...disk }: Written): readonly Fault[] {
  const faults = iso === undefined ? contentFaults(disk) : isoFaults(iso, disk);
  if (key === undefined && hostKey !== undefined) faults.push([['key'], 'must be given beside `hostKey`']);
  if (key !== undefined && hostKey === undefined) faults.push([['hostKey'], 'must be given beside `key`']);
  return faults;
}

type Content = { readonly [key in 'url' | 'file' | 'sha256']?: string | undefined };

function contentFaults({ url, file, sha256 }: Content): Fault[] {
  const faults: Fault[] = [];
  if ((url === undefined) === (file === undefined)) faults.push([['url'], 'must be given, or `file`, and not both']);
  if (url !== undefined && file === undefined && sha256 === undefined)
    faults.push([['sha256'], 'must be given for what is fetched']);
  return faults;
}

function isoFaults(iso: NonNullable<Written['iso']>, disk: Content): Fault[] {
  const faults = contentFaults(iso).map(([path, message]): Fault => [['iso', ...path], message]);
  for (const name of ['url', 'file', 'sha256'] as const)
    if (disk[name] !== undefined) faults.push([[name], 'belongs below `iso` where a system is installed']);
  const { kernel, initrd } = iso;
  if (kernel !== undefined && initrd === undefined) faults.push([['iso', 'initrd'], 'must be given beside `kernel`']);
  for (const name of ['initrd', 'append'] as const)
    if (kernel === undefined && iso[name] !== undefined) faults.push([['iso', name], 'is for a `kernel`: give that']);
  return faults;
}
