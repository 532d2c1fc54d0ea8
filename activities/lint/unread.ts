import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { leadLength, rpmFormatOf } from '../../pipelines/formats/rpm/lead.ts';
import type { LintRemark } from '../../pipelines/model/lint.ts';

const six =
  'it is of RPM format 6, which the rpmlint of this platform cannot read: build it with %_rpmformat 4 (as dnf 4 and rpm ' +
  '4 want it, too), or on a platform with rpm 6';

/** Says of a file that the checker could not read what it is, where that is the reason. The remark names the file. */
export async function explainUnread(remark: LintRemark, folder: string): Promise<LintRemark> {
  return remark.package.endsWith('.rpm') && (await formatOf(join(folder, remark.package))) === 6
    ? { ...remark, detail: six }
    : remark;
}

async function formatOf(path: string): Promise<4 | 6 | null> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(leadLength), 0, leadLength, 0);
    return rpmFormatOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
