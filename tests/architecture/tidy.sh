#!/usr/bin/env bash
# clang-tidy 14 over the given files' compile commands, two at a time. Usage: tidy.sh ROOT BUILD FOLDER...
set -euo pipefail
root=$1 build=$2
shift 2
cd "$root"
# clang cannot read g++'s precompiled header: the commands are used without it.
commands=$(mktemp -d)
trap 'rm -rf "$commands"' EXIT
sed -e 's/-Winvalid-pch -include [^ ]*cmake_pch.hxx//; s/-fpch-preprocess//' "$build/compile_commands.json" \
  >"$commands/compile_commands.json"
git ls-files -- "$@" | grep '\.cc$' | xargs -P "$(nproc)" -n 4 clang-tidy-14 -p "$commands" --quiet
