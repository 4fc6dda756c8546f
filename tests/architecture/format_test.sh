#!/usr/bin/env bash
# Every C++ and proto file is as clang-format 14 leaves it. Mend with:
#   git ls-files '*.h' '*.cc' '*.proto' | xargs clang-format-14 -i
set -euo pipefail
cd "$1"
git ls-files '*.h' '*.cc' '*.proto' | xargs clang-format-14 --dry-run -Werror
