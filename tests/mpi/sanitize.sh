#!/usr/bin/env bash
# Builds with a sanitizer and runs what has several ranks or several threads.   tests/mpi/sanitize.sh [asan | tsan | watched]
#   asan  addresses and undefined behaviour: all of `ctest -L mpi`, and replicas and frames written behind the run's back (tests/package)
#   tsan  races: the same without the emulator, whose fibers look like one thread with many stacks; and all unit and backend tests (pool of threads,
#         background writer)
#   watched  the emulator's own checks of accesses to device memory (kernels/simt/access_checks.hpp) in the program on several ranks; other tests of
#         the emulator always have them
# Open MPI itself is not built with the sanitizer: what TSan says of its locks is in tsan.supp, each line with its reason, and leaks are not looked
# at, for it leaves memory behind from modules that it has unloaded, which have no names then. The tests on one rank look for leaks.
# Every report fails this script, whatever became of the process. UPLIFT_CPU_ISAS=avx2 builds the pair kernels sooner than avx512 (native).
#
# Last run to their end without a report: asan on 28 November 2026 (commit 904682e), tsan on the 27th (5644397); GCC 12.2, Open MPI 4.1.4, two cores shared with other
# work, avx2. Alone they take some 20 minutes each besides the build.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=${1:-asan}
build=$PWD/build/$kind reports=$PWD/build/$kind/reports
cmake --preset "$kind" -DUPLIFT_CUDA=OFF -DUPLIFT_CPU_ISAS="${UPLIFT_CPU_ISAS:-native}" >/dev/null
targets=(uplift test_mpi)
[[ $kind == tsan ]] && targets+=(test_unit test_backend)
cmake --build "$build" --target "${targets[@]}"
rm -rf "$reports" && mkdir "$reports"
export ASAN_OPTIONS=detect_leaks=0:log_path=$reports/asan UBSAN_OPTIONS=print_stacktrace=1:log_path=$reports/ubsan
export TSAN_OPTIONS=suppressions=$PWD/tests/mpi/tsan.supp:second_deadlock_stack=1:log_path=$reports/tsan
export UPLIFT_PATIENCE=10
[[ $kind == watched ]] && exec ctest --test-dir "$build" -R mpi.device_domains --output-on-failure
alone=()  # a kernel with many random bits of addresses leaves thread sanitizers no room
[[ $kind == tsan ]] && setarch -R true 2>/dev/null && alone=(setarch -R)

failed=0
step() { echo "== $*"; "${alone[@]}" "$@" || failed=1; }
if [[ $kind == tsan ]]; then
  GTEST_FILTER='-DeviceMesh*:*/device:LateRanks*' step ctest --test-dir "$build" -L mpi -E device_domains --output-on-failure
  step "$build/bin/test_unit" --gtest_brief=1
  step "$build/bin/test_backend" --gtest_brief=1
else
  step ctest --test-dir "$build" -L mpi --output-on-failure
fi
UPLIFT_CHECKS="replicas_have_the_bits_of_single_runs same_bits_for_any_number_of_threads_and_ranks interrupted_replicas_go_on_with_the_same_bits
               volumes_move_with_configurations one_that_fails_is_named" step /usr/bin/python3 tests/package/ensemble_test.py "$build/bin/uplift"
UPLIFT_CHECKS=same_bits_for_any_number_of_threads step /usr/bin/python3 tests/package/run_test.py "$build/bin/uplift"
if compgen -G "$reports/*" >/dev/null; then
  head -60 "$reports"/*
  echo "$(ls "$reports" | wc -l) reports in $reports" >&2
  failed=1
fi
exit $failed
