#!/usr/bin/env bash
# QEMU 7.2 (Debian 12): a migration to `exec:COMMAND`, as a machine's memory is kept in a compressed file, is told as
# "completed" whatever comes of the command, once it has taken all that QEMU wrote. QEMU waits for its end, but not for its
# exit status: a compressor that finds the disk full when it writes its last block, or a copy to another host that fails
# there, leaves a file that is cut off, and a migration without a fault. Only a command that ends before it has read all is
# told, as a broken pipe.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
apt-get install -qq --yes --no-install-recommends qemu-system-x86 > installing 2>&1
qemu-system-x86_64 --version | grep -F 'version 7.2.'

cat > migrate.py <<'PYTHON'
import json, os, subprocess, sys, time

qemu = subprocess.Popen(
    "qemu-system-x86_64 -S -display none -machine pc,accel=tcg -m 64 -nodefaults -qmp stdio".split(),
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

def ask(command, **arguments):
    qemu.stdin.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    qemu.stdin.flush()
    while True:
        answer = json.loads(qemu.stdout.readline())
        if "return" in answer or "error" in answer:
            return answer["return"]

ask("qmp_capabilities")
ask("migrate", uri="exec:" + sys.argv[1])
while (state := ask("query-migrate").get("status")) not in ("completed", "failed"):
    time.sleep(0.05)
print(state, "written" if os.path.exists("written") else "not-written")
ask("quit")
qemu.wait()
PYTHON

failed=0
try() { # EXPECTED COMMAND
  local seen
  rm -f written
  seen=$(python3 migrate.py "$2" 2> errors)
  echo "exec:$2: $seen; $(sed -n 's/^\(.*No space left.*\)/\1/p' errors)"
  [ "$seen" = "$1" ] || failed=1
}
try 'completed written' 'cat > file; sleep 5; touch written'
try 'completed not-written' 'cat > file; exit 3'
try 'completed not-written' 'gzip > /dev/full && touch written'
try 'failed not-written' 'head -c 1000 > file; exit 3'
exit "$failed"
