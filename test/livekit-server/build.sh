#!/usr/bin/env bash
# Builds livekit-server into .cache/bin from its Go module, for the tests that need a real one; quick when it is there. Later
# versions want forks that the Go module proxy does not have.
set -euo pipefail
version=1.9.11
bin="$(cd "$(dirname "$0")/../.." && pwd)/.cache/bin"

if [[ "$("$bin/livekit-server" --version 2>/dev/null)" == *" $version" ]]; then
  exit 0
fi
mkdir -p "$bin"
scratch="$(mktemp -d "$bin/livekit-server.XXXXXX")"
trap 'rm -rf "$scratch"' EXIT
GOBIN="$scratch" go install "github.com/livekit/livekit-server/cmd/server@v$version"
mv "$scratch/server" "$bin/livekit-server"
"$bin/livekit-server" --version
