#!/usr/bin/env bash
# git 1:2.39.5-0+deb12u3 (Debian 12): a server that answers with status 200 and a short web page (a proxy, a login, a
# notice of maintenance) in the place of `info/refs` is taken for a repository without any ref when the page has no
# newline at its end: `fetch --prune` ends with 0 and deletes every branch. With a newline it is an error, as expected,
# and nothing is lost.
set -euo pipefail

version=1:2.39.5-0+deb12u3
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf -- "$work"' EXIT
cd -- "$work"
chmod 755 .
mkdir none
apt-get -qq -o APT::Sandbox::User=root download "git=$version"
dpkg-deb -x ./git_*.deb root
export GIT_EXEC_PATH=$work/root/usr/lib/git-core PATH=$work/root/usr/bin:$PATH
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TEMPLATE_DIR=$work/none
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com

cat > page.py <<'PY'
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'<p>Back soon</p>' + (b'\n' if self.path.startswith('/newline') else b'')
        self.send_response(200)
        self.send_header('Content-Type', 'text/html')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(('127.0.0.1', 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
PY
mkfifo port
python3 page.py > port &
server=$!
read -r port < port

git init --quiet --bare mirror.git
commit=$(git --git-dir=mirror.git commit-tree -m start "$(git --git-dir=mirror.git mktree </dev/null)")
dpkg-deb -f ./git_*.deb Package Version
for page in newline bare; do
  for branch in main stable; do git --git-dir=mirror.git update-ref "refs/heads/$branch" "$commit"; done
  status=0
  said=$(git --git-dir=mirror.git fetch --prune "http://127.0.0.1:$port/$page" '+refs/heads/*:refs/heads/*' 2>&1) || status=$?
  left=$(git --git-dir=mirror.git for-each-ref | wc -l)
  echo "\$ git fetch --prune, a page $([ "$page" = newline ] && echo with || echo without) a newline at its end"
  echo "${said//:$port/}"
  echo "exit status $status, branches left: $left"
  case $page in
    newline) [ "$status" != 0 ] && [ "$left" = 2 ] ;;
    bare) [ "$status" = 0 ] && [ "$left" = 0 ] ;;
  esac
done
