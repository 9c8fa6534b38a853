#!/usr/bin/env bash
# Builds with a sanitizer and runs everything of several ranks: the tests of messages on 1 to 4 ranks, one system on several ranks with its kills,
# signals and replicas.   tests/mpi/sanitize.sh [asan | tsan]
# Open MPI itself is not built with the sanitizer: its own threads are not looked at, and leaks not at all, for it leaves memory behind from modules
# that it has unloaded, which have no names then. The tests on one rank look for leaks.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=${1:-asan}
cmake --preset "$kind" -DUPLIFT_CUDA=OFF >/dev/null
cmake --build "build/$kind" --target uplift test_mpi
quiet=$PWD/build/$kind/suppressions.txt
printf 'called_from_lib:%s\n' libmpi.so libopen-pal.so libopen-rte.so libpmix.so libevent >"$quiet"
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=suppressions=$quiet,ignore_noninstrumented_modules=1,second_deadlock_stack=1
ctest --test-dir "build/$kind" -L mpi --output-on-failure
