#!/usr/bin/env bash
# tests/fuzz/run.sh SECONDS [TARGET...]: builds the fuzz targets and runs each (or those named) for SECONDS, one after the
# other; with 0 seconds it only builds. Findings stay in BUILD/findings, the grown corpus in BUILD/corpus, a line for each run in
# BUILD/fuzz.jsonl. Exit status 1 after a finding, 77 without Clang's fuzzer runtime.
# FUZZ_BUILD: where BUILD is (build/fuzz). FUZZ_FRESH=RUNS, as ctest does: begin with the seeds alone, try RUNS inputs at most, the same
# ones each time, and keep no corpus: a test may find what a change has broken, but not today what it did not find yesterday.
# FUZZ_FLAGS: of the compiler, for a new BUILD ("-O1;-g1").
set -euo pipefail
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
source=$(cd "$(dirname "$0")/../.." && pwd)
build=${FUZZ_BUILD:-$source/build/fuzz}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

quietly() { "$@" > "$scratch/log" 2>&1 || { tail -n 60 "$scratch/log"; exit 1; }; }

if [[ ! -e $build/bin/fuzz_seeds || $seconds == 0 || -z ${FUZZ_FRESH:-} ]]; then
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' > "$scratch/probe.cpp"
  if ! clang++ -std=c++20 -fsanitize=fuzzer,address,undefined "$scratch/probe.cpp" -o "$scratch/probe" > "$scratch/log" 2>&1; then
    echo "skipped: clang++ with its fuzzer runtime is not here (packages clang and libclang-rt-14-dev, or what the distribution's version is)"
    exit 77
  fi
  quietly cmake -S "$source" -B "$build" -G Ninja -DUPLIFT_FUZZ=ON -DUPLIFT_WERROR=OFF -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ ${FUZZ_FLAGS:+"-DUPLIFT_FUZZ_FLAGS=$FUZZ_FLAGS"}
  quietly ninja -C "$build"
fi
((seconds > 0)) || exit 0

corpus=$build/corpus fresh=()
if [[ -n ${FUZZ_FRESH:-} ]]; then
  corpus=$scratch/corpus
  # What comparisons saw holds addresses, which differ from run to run.
  fresh=(-seed=1 -runs="$FUZZ_FRESH" -use_cmp=0)
fi
"$build/bin/fuzz_seeds" "$corpus"
mkdir -p "$build/findings"
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(cd "$build/bin/fuzz" && printf '%s\n' *_fuzz | sed 's/_fuzz$//')

status=0
for target in "${targets[@]}"; do
  log=$scratch/$target.log result=clean
  "$build/bin/fuzz/${target}_fuzz" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=1024 -malloc_limit_mb=1024 -max_len=65536 "${fresh[@]}" \
    -print_final_stats=1 -artifact_prefix="$build/findings/$target-" "$corpus/$target" > "$log" 2>&1 || { result=finding; status=1; }
  count() { awk -v key="stat::$1:" '$1 == key { value = $2 } END { print value + 0 }' "$log"; }
  echo "{\"target\": \"$target\", \"result\": \"$result\", \"seconds\": $seconds, \"inputs\": $(count number_of_executed_units)," \
    "\"peak_rss_mb\": $(count peak_rss_mb)}" | tee -a "$build/fuzz.jsonl"
  [[ $result == clean ]] || tail -n 60 "$log"
done
exit $status
