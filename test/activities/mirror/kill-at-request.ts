import ssh2, { type SFTPWrapper } from 'ssh2';

/**
 * Loaded ahead of a program, with a pattern in `KILL_AT`: kills it when it is about to make the first request over SFTP
 * that matches, `NAME PATH…`, such as `open /m1/snapshots/.deb.lock wx`.
 */
const pattern = new RegExp(process.env.KILL_AT ?? '$^');
const watched = ['open', 'mkdir', 'symlink', 'ext_openssh_rename', 'ext_openssh_hardlink'] as const;

const { sftp: openSftp } = ssh2.Client.prototype;
ssh2.Client.prototype.sftp = function (...args: unknown[]) {
  const callback = args.at(-1) as (error: Error | undefined, sftp: SFTPWrapper) => void;
  const watch = (error: Error | undefined, sftp: SFTPWrapper) => {
    for (const name of watched) {
      const request = sftp[name].bind(sftp) as (...given: unknown[]) => void;
      const killing = (...given: unknown[]) => {
        const words = given.filter((each) => typeof each === 'string');
        if (pattern.test([name, ...words].join(' '))) process.kill(process.pid, 'SIGKILL');
        request(...given);
      };
      Object.assign(sftp, { [name]: killing });
    }
    callback(error, sftp);
  };
  return openSftp.call(this, watch as never);
};
