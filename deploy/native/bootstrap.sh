#!/bin/sh
# Makes sure that the packages of package-lock.json are installed, then runs the command line on the Node 22 that is
# one of them. Plain sh and the system's Node and npm are all it needs.
set -eu
repo=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
stamp=$repo/node_modules/.emulsion-lock
node=$repo/node_modules/.bin/node

fail() {
  printf 'emulsion: %s\n  → %s\n' "$1" "$2" >&2
  exit 1
}

# The stamp is a copy of the lock file, written last: an interrupted install has none and is made again.
# A list of npm's own that is newer than the lock file means that somebody has just run npm by hand.
installed() {
  [ -x "$node" ] || return 1
  cmp -s "$repo/package-lock.json" "$stamp" ||
    [ "$repo/node_modules/.package-lock.json" -nt "$repo/package-lock.json" ]
}

install_packages() {
  command -v npm >/dev/null 2>&1 || fail 'npm is missing.' 'Install Node.js 20 or newer with npm, then run this again.'
  echo 'emulsion: installing npm packages (once, a minute or so) …' >&2
  (cd "$repo" && npm ci --no-audit --no-fund --loglevel=error) >&2 9>&- ||
    fail 'npm ci failed; its reason is above.' 'Check the network and the free disk space, then run this again.'
  [ -x "$node" ] || fail 'npm left out the node package (install scripts are off?).' 'Run: npm rebuild node'
  cp "$repo/package-lock.json" "$stamp"
  echo 'emulsion: packages are installed.' >&2
}

if ! installed; then
  # The kernel's lock, gone with its holder however that ends: two starts install once, nothing stale is left.
  if command -v flock >/dev/null 2>&1; then
    exec 9<"$repo/package.json"
    flock 9
  fi
  installed || install_packages
  exec 9>&-
fi

exec "$node" --disable-warning=ExperimentalWarning "$repo/tools/cli/main.ts" "$@"
