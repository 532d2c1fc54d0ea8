#!/usr/bin/env bash
# CMake 4.4.5 (PyPI; 3.25.1 of Debian 12 does the same): the JUnit file of `ctest --output-junit` calls a failed test skipped
# where ctest could not begin it: its program was not built, a file that it requires is missing, or the test that sets up
# its fixture failed. On the terminal ctest counts each of them as failed, and ends with 8; the file has the same element
# for them, and the same `status`, as for a test that skips itself, and counts no failure. Whoever judges by the file
# passes a build that left a test program out.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
python3 -m pip download --quiet --no-deps --dest . cmake==4.4.5
python3 -m zipfile -e cmake-*.whl wheel
programs=$work/wheel/cmake/data/bin
chmod +x "$programs"/*
"$programs/ctest" --version | sed -n 1p

mkdir tests
cat > tests/CTestTestfile.cmake <<'CMAKE'
add_test(unbuilt "/nowhere/unbuilt")
add_test(unfounded "true")
set_tests_properties(unfounded PROPERTIES REQUIRED_FILES "/nowhere/data")
add_test(skips "sh" "-c" "exit 77")
set_tests_properties(skips PROPERTIES SKIP_RETURN_CODE "77")
add_test(passes "true")
CMAKE
cp -r tests fixture
cat > fixture/CTestTestfile.cmake <<'CMAKE'
add_test(sets-up "false")
set_tests_properties(sets-up PROPERTIES FIXTURES_SETUP "database")
add_test(dependent "true")
set_tests_properties(dependent PROPERTIES FIXTURES_REQUIRED "database")
CMAKE

failed=0
run() { # DIRECTORY EXPECTED-FAILED EXPECTED-FAILURES EXPECTED-SKIPPED
  local status=0 said failures skipped
  "$programs/ctest" --test-dir "$1" --output-junit "$work/$1.xml" > said 2>&1 || status=$?
  said=$(grep -o '[0-9]* tests failed out of [0-9]*' said)
  failures=$(grep -o 'failures="[0-9]*"' "$1.xml") skipped=$(grep -o 'skipped="[0-9]*"' "$1.xml")
  echo "$1: exit status $status, $said; the file: $failures $skipped"
  grep -A 3 'status="notrun"' "$1.xml" | sed -n 's/.*<testcase name="\([^"]*\)".*/  \1:/p; s/^\t*\(<skipped.*\)/    \1/p'
  [ "$status" = 8 ] && [[ $said == "$2 tests"* ]] && [ "$failures $skipped" = "failures=\"$3\" skipped=\"$4\"" ] || failed=1
}
run tests 2 0 3
run fixture 2 1 1
exit "$failed"
