#!/usr/bin/env bash
# dnf5 lists a module stream whose document says `arch: noarch`, and enables none of them: it "does not have a
# compatible architecture". dnf 4.14.0 enables the same one. A package that is noarch goes to every machine, a stream that
# is noarch to none, so that a publisher of scripts alone has to write the same document once for each architecture. dnf5
# is that of Debian testing, which moves on: 5.4.6 was the first that was looked at, and each run prints its own.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
apt-get install -qq --yes --no-install-recommends createrepo-c=0.17.3-2 dnf=4.14.0-3+deb12u1 mmdebstrap > installing 2>&1
mmdebstrap --quiet --variant=apt --include=dnf5 --aptopt='Acquire::Check-Valid-Until "false"' testing root

mkdir repo.d
createrepo_c --quiet repo.d
stream() { # NAME ARCHITECTURE
  cat << YAML
---
document: modulemd
version: 2
data:
  name: $1
  stream: "1"
  version: 1
  context: c0ffee00
  arch: $2
  summary: Something
  description: Something
  license: {module: [MIT]}
  artifacts: {rpms: ["$1-0:1-1.$2"]}
YAML
}
{ stream scripts noarch; stream program x86_64; } > modules.yaml
modifyrepo_c --mdtype=modules modules.yaml repo.d/repodata > making
cp -r repo.d root/repo.d

failed=0
says() { # EXPECTED-STATUS EXPECTED-WORDS COMMAND...
  local wanted=$1 expected=$2 status=0 said
  shift 2
  said=$("$@" 2>&1) || status=$?
  echo "\$ ${*: -3}: exit status $status: $(grep -m 1 -E "$expected" <<< "$said" || echo "something else: $said")"
  [ "$status" = "$wanted" ] && grep -qE "$expected" <<< "$said" || failed=1
}
options=(--assumeyes --setopt=module_platform_id=platform:any --releasever=1)
old=(dnf "${options[@]}" --setopt=reposdir=/nowhere --setopt=cachedir="$work/cache" --nogpgcheck
  --repofrompath="it,file://$work/repo.d")
new=(chroot root dnf5 "${options[@]}" --no-gpgchecks --repofrompath=it,file:///repo.d)

dnf --version | sed -n 1p
says 0 'Complete!' "${old[@]}" --installroot="$work/scripts" module enable scripts:1
says 0 'Complete!' "${old[@]}" --installroot="$work/program" module enable program:1
chroot root dnf5 --version | sed -n 1p
says 0 'scripts +1 ' "${new[@]}" module list scripts
says 1 'scripts:1:1:c0ffee00.noarch does not have a compatible architecture' "${new[@]}" module enable scripts:1
says 0 'Complete!' "${new[@]}" module enable program:1
exit "$failed"
