#!/usr/bin/env bash
# Meson 1.12.1 (PyPI; 1.0.1 of Debian 12 does the same): of a test that speaks TAP the file `testlog.junit.xml` has the
# points that it printed, and nothing of what became of the test. One that ends with another status than 0, that is killed
# after its timeout, that bails out or prints fewer points than it planned is an error on the terminal, and `meson test`
# ends with the count of them; the file has only good cases, no error, no failure. A test that does not speak TAP is
# written there as it ended. That timeouts of those were missing is known, and mended (mesonbuild/meson's issue 13795);
# issue 11015 is about a plan of which no point comes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check meson==1.12.1 ninja==1.13.0
export PATH=$work/tools/bin:$PATH

mkdir source
cat > source/meson.build <<'MESON'
project('example')
sh = find_program('sh')
good = 'echo 1..2; echo ok 1 - first; '
test('exits', sh, args: ['-c', good + 'echo ok 2 - second; exit 3'], protocol: 'tap')
test('stops', sh, args: ['-c', good], protocol: 'tap')
test('bails', sh, args: ['-c', good + 'echo "Bail out! no disk"'], protocol: 'tap')
test('stays', sh, args: ['-c', good + 'exec sleep 60'], protocol: 'tap', timeout: 2)
test('plain-exits', sh, args: ['-c', 'exit 3'])
MESON
meson setup build source > setting-up
echo "meson $(meson --version)"

failed=0
for name in exits stops bails stays plain-exits; do
  status=0
  meson test -C build --no-rebuild "$name" > said 2>&1 || status=$?
  result=$(sed -n 's/^ *1\/1 .* \(ERROR\|FAIL\|TIMEOUT\|OK\|SKIP\) .*/\1/p' said)
  counts=$(grep -o '<testsuites [^>]*>' build/meson-logs/testlog.junit.xml)
  echo "$name: exit status $status, $result; the file: $counts"
  case $name in
    plain-exits) expected='errors="0" failures="1"' ;;
    *) expected='errors="0" failures="0"' ;;
  esac
  [ "$status" = 1 ] && [[ $result =~ ^(ERROR|FAIL|TIMEOUT)$ && $counts == *"$expected"* ]] || failed=1
done
exit "$failed"
