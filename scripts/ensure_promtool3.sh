#!/usr/bin/env bash
# Makes sure that the promtool of a Prometheus 3 can be run: builds it from the module's source, with Go.
#
# Usage: scripts/ensure_promtool3.sh
# Prints the path of the program, last. It lies in a folder of the user's cache, or in PROMTOOL3_DIR.
set -euo pipefail

# Prometheus 3.5.0, whose module versions are 0.3xx. `go install` refuses it: its go.mod has replace directives.
readonly MODULE=github.com/prometheus/prometheus RELEASE=v0.305.0 VERSION=3.5.0
readonly FOLDER=${PROMTOOL3_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/slo-compiler/promtool3}
readonly PROGRAM=$FOLDER/promtool-$VERSION

give_up() {
  echo "promtool $VERSION is needed: $1" >&2
  exit 3
}

usable() {
  [ -x "$PROGRAM" ] && "$PROGRAM" --version 2>&1 | grep -q "^promtool, version $VERSION "
}

# Sources and the unfinished program; removed in any case.
work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

build() {
  local source
  source=$(cd / && go mod download -json "$MODULE@$RELEASE" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [ -n "$source" ] || give_up "go mod download has no source of $MODULE@$RELEASE"
  work=$(mktemp -d "$FOLDER/build.XXXXXX")
  # The module cache is read-only, and packages in it are no main module.
  cp -R "$source/." "$work"
  chmod -R u+w "$work"
  # Its service discovery brings half a thousand packages: two compilers at a time, and behind what else is running.
  (cd "$work" && GOFLAGS=-buildvcs=false nice -n 10 go build -p 2 -o promtool \
    -ldflags "-s -w -X github.com/prometheus/common/version.Version=$VERSION" ./cmd/promtool)
  mv "$work/promtool" "$PROGRAM"
}

if ! usable; then
  command -v go >/dev/null || give_up "there is no Go to build it with (1.23 or newer)"
  echo "building promtool $VERSION into $FOLDER (minutes, some gigabytes of Go's caches)" >&2
  mkdir -p "$FOLDER"
  build
  usable || give_up "what was built is no promtool $VERSION"
fi
"$PROGRAM" --version 2>&1 | sed -n 1p
echo "$PROGRAM"
