import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';

/** Who acts, for the record: `NAME <EMAIL>` as Git knows the user, else the login name. */
export async function whoIsThis(): Promise<string> {
  const ask = (key: string) =>
    promisify(execFile)('git', ['config', '--get', key]).then(
      ({ stdout }) => stdout.trim(),
      () => '',
    );
  const [name, email] = await Promise.all([ask('user.name'), ask('user.email')]);
  return name !== '' && email !== '' ? `${name} <${email}>` : name || userInfo().username;
}
