#!/usr/bin/env bash
# Fuzzes one target for POTOK_FUZZ_SECONDS (60), starting from its corpus, and says how it went.
#
#   run.sh PROGRAM CORPUS WORK [DICTIONARY]
#
# What is new goes to WORK/found, an input that crashes to WORK/crashes; the source tree is not written.
set -euo pipefail
program=$1 corpus=$2 work=$3 dictionary=${4:-}

rm -rf "$work/tmp"
mkdir -p "$work/found" "$work/crashes" "$work/tmp"
trap 'rm -rf "$work/tmp"' EXIT
export TMPDIR="$work/tmp"
# Frames on the stack are checked after their function has returned, too.
export ASAN_OPTIONS="detect_stack_use_after_return=1:allocator_may_return_null=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"

options=(-max_total_time="${POTOK_FUZZ_SECONDS:-60}" -rss_limit_mb=4096 -timeout=10 -max_len=16384
  -seed="${POTOK_FUZZ_SEED:-1}"  # one for all, so that a verdict can be repeated; 0: a new one each time
  -print_final_stats=1 "-artifact_prefix=$work/crashes/")
[ -z "$dictionary" ] || options+=("-dict=$dictionary")

if "$program" "${options[@]}" "$work/found" "$corpus" >"$work/log" 2>&1; then
  # The counters that were hit: by the corpus, and in the end.
  sed -n '/INITED/p; /DONE/p; /^stat::/p' "$work/log"
  exit
fi
tail -n 80 "$work/log"
input=$(sed -n 's/.*Test unit written to //p' "$work/log" | tail -1)
echo
echo "FAILED: the whole output is in $work/log"
if [ -n "$input" ]; then
  echo "The input: $input"
  echo "Again:     $program -timeout=10 -rss_limit_mb=4096 $input"
  echo "Smaller:   $program -minimize_crash=1 -exact_artifact_path=$work/crashes/small $input"
fi
exit 1
