#!/usr/bin/env bash
# Builds the emulator's tests with AddressSanitizer and UndefinedBehaviorSanitizer and runs all of them with three seeds of the scheduler; with the
# last, streams are lazy too.   tests/simt/sanitize.sh [gtest filter]
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --preset asan -DUPLIFT_CUDA=OFF -DUPLIFT_CPU_ISAS="${UPLIFT_CPU_ISAS:-native}" >/dev/null
cmake --build build/asan --target test_simt
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
for seed in 1 2 3; do
  streams=eager
  [[ $seed == 3 ]] && streams=lazy
  echo "seed $seed, $streams streams"
  UPLIFT_SIMT_SEED=$seed UPLIFT_SIMT_STREAMS=$streams build/asan/bin/test_simt --gtest_brief=1 --gtest_filter="${1:-*}"
done
