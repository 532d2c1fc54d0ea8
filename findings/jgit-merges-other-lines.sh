#!/usr/bin/env bash
# JGit 7.4.0 (by Maven) beside git 2.39.5 (Debian 12): both merge the same two commits without a conflict, and to other
# contents. It is so where lines repeat, as empty ones, `fi` and `%endif` do. Where both sides have taken one of several
# equal lines out, JGit takes out two; where both have put one more there, it puts in two; git takes either for one change
# that both have made. Gerrit merges by JGit: what it submits may be another tree than what was tested after `git merge`.
set -euo pipefail

version=7.4.0.202509020913-r
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
cat > pom.xml <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.example</groupId><artifactId>merge</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.eclipse.jgit</groupId><artifactId>org.eclipse.jgit</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
XML
apt-get install -qq --yes --no-install-recommends git default-jdk-headless maven > installing 2>&1
mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=lib > fetching 2>&1 || { cat fetching; exit 1; }

cat > Merge.java <<'JAVA'
import java.io.File;
import org.eclipse.jgit.lib.Repository;
import org.eclipse.jgit.merge.MergeStrategy;
import org.eclipse.jgit.merge.Merger;
import org.eclipse.jgit.storage.file.FileRepositoryBuilder;

class Merge {
  public static void main(String[] args) throws Exception {
    try (Repository repository = new FileRepositoryBuilder().setGitDir(new File(args[0])).build()) {
      Merger merger = MergeStrategy.RECURSIVE.newMerger(repository, true);
      boolean clean = merger.merge(repository.resolve("ours"), repository.resolve("theirs"));
      System.out.println(clean ? merger.getResultTreeId().name() : "conflict");
    }
  }
}
JAVA

git --version
echo "JGit $version"
git init --quiet --initial-branch=base repo
git -C repo config user.name A
git -C repo config user.email a@example.org
commit() { # BRANCH LINES
  git -C repo checkout --quiet -B "$1" base 2> /dev/null || true
  tr ' ' '\n' <<< "$2" > repo/file
  git -C repo add file
  git -C repo commit --quiet --message "$1"
}
failed=0
try() { # BASE OURS THEIRS EXPECTED-OF-GIT EXPECTED-OF-JGIT
  local of_git of_jgit
  commit base "$1"
  commit ours "$2"
  commit theirs "$3"
  of_git=$(git -C repo merge-tree --write-tree ours theirs)
  of_jgit=$(java -cp 'lib/*' Merge.java repo/.git)
  [ "$of_jgit" != conflict ]
  of_git=$(git -C repo show "$of_git:file" | paste -sd ' ')
  of_jgit=$(git -C repo show "$of_jgit:file" | paste -sd ' ')
  printf '%s\n' "$1 -> $2" "$1 -> $3" "  git:  $of_git" "  JGit: $of_jgit"
  [ "$of_git" = "$4" ] && [ "$of_jgit" = "$5" ] || failed=1
}
try 'a fi fi fi a' 'a fi fi a' 'a a fi fi a' 'a a fi fi a' 'a a fi a'
try 'b a a a fi fi a a b' 'b a a a fi fi a a b b' 'a a fi fi a a b b' 'a a fi fi a a b b' 'a a fi fi a a b b b'
exit "$failed"
