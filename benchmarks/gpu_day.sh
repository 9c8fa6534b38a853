#!/usr/bin/env bash
# The day a GPU is at hand: builds for that GPU alone, runs the device tests, the reference checks and compute-sanitizer on it, then times
# uplift beside OpenMM. One command of ten minutes; every stage has a limit of its own and leaves a log, so that one failure does not eat
# the rest. Exit status: 0 all stages went well, 1 one did not, 77 no GPU or no CUDA toolkit here.
#
#   benchmarks/gpu_day.sh [--dry-run] [ARGUMENTS OF gpu_side_by_side.py ...]
#
# OUT: folder of the results (benchmarks/results/gpu-day). BUILD: build folder (build/gpu-day). PYTHON: with openmm, numpy, h5py (python3).
# SECONDS_IN_ALL: 590. SANITIZE: what of the tests' names goes through compute-sanitizer. STAGES: names of stages, if not all shall run
# ("info tests timings").
# CARRIED: an archive of carry_build.sh, where there are no packages to build with: it is unpacked, nothing is built.
# --dry-run: the same stages without a GPU (emulator, CPU backend, no sanitizer), to try this script.
set -uo pipefail
cd "$(dirname "$0")/.."
device=cuda
[[ ${1:-} == --dry-run ]] && { device=cpu; shift; }
python=${PYTHON:-python3}
build=${BUILD:-build/gpu-day}
out=${OUT:-benchmarks/results/gpu-day}
total=${SECONDS_IN_ALL:-590}
sanitize=${SANITIZE:-'AreThoseOfTheCpu.*(everything|water|(nbfix|geometric).*<00)|GoesTheWayOfTheCpu/.*(Sites|Langevin|Levels)'}
export PATH=$PATH:/usr/local/cuda/bin

if [[ $device == cuda ]]; then
  nvidia-smi -L 2>/dev/null | grep '^GPU' >/dev/null || { echo "gpu_day: there is no GPU here (nvidia-smi -L names none)"; exit 77; }
  [[ -n ${CARRIED:-} ]] || command -v nvcc >/dev/null || { echo "gpu_day: there is a GPU, but no CUDA toolkit (nvcc)"; exit 77; }
  architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader -i 0 | tr -d '. ')
  configuration=(-DUPLIFT_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=$architecture-real")
else
  configuration=(-DUPLIFT_CUDA=OFF)
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
summary=$out/summary.txt
: >"$summary"
status=0
left() { echo $((total - SECONDS)); }

# stage NAME LIMIT COMMAND...: at most LIMIT seconds, and no more than what is left; appends to NAME.log (a - for each :).
stage() {
  local name=$1 limit=$2 began=$SECONDS log=$out/${1//:/-}.log code word
  shift 2
  [[ -z ${STAGES:-} || $name == build || " $STAGES " == *" ${name%%:*} "* ]] || return 0
  ((limit > $(left))) && limit=$(left)
  if ((limit < 5)); then
    echo "$name: no time was left" | tee -a "$summary"
    status=1
    return 1
  fi
  echo "== $name, at most $limit s: $*" | tee -a "$log"
  timeout -k 5 "$limit" "$@" >>"$log" 2>&1
  code=$?
  case $code in 0) word=ok ;; 77) word="skipped (see the log)" ;; 124 | 137) word="ran out of its $limit s" ;; *) word="FAILED ($code)" ;; esac
  printf '%-24s %4d s  %s\n' "$name" $((SECONDS - began)) "$word" | tee -a "$summary"
  ((code == 0 || code == 77)) && return 0
  status=1
  tail -n 15 "$log"
  return 1
}

rm -f "$out"/*.log
unpacked= watch=
trap '[[ -z $watch ]] || kill "$watch"; rm -rf ${unpacked:+"$unpacked"}' EXIT
if [[ $device == cuda ]]; then
  nvidia-smi -q -d CLOCK,POWER,PERFORMANCE >"$out/gpu.log" 2>&1
  # Somebody must have the GPU open all the time: where no daemon does, each program that is alone with it waits seconds until it has been started.
  nvidia-smi --query-gpu=timestamp,clocks.sm,power.draw,temperature.gpu,memory.used --format=csv -l 10 >"$out/gpu.csv" 2>&1 &
  watch=$!
fi
if [[ -n ${CARRIED:-} ]]; then
  build=$(mktemp -d) unpacked=$build
  tar -xf "$CARRIED" -C "$build" || { echo "gpu_day: CARRIED=$CARRIED is no archive of carry_build.sh"; exit 1; }
  mkdir -p "$build/share/uplift"
  ln -s "$PWD"/{forcefields,inputs,examples,docs} "$build/share/uplift/"
  if [[ $device == cuda ]]; then  # of the toolkit, or of Python's packages
    cufft=$(ls -d /usr/local/cuda/lib64/libcufft.so.12 /usr/local/cuda/targets/*/lib/libcufft.so.12 \
      $("$python" -c 'import sys; print(*(p + "/nvidia/*/lib/libcufft.so.12" for p in sys.path if p))') 2>/dev/null | head -n 1)
    [[ -n $cufft ]] || { echo "gpu_day: libcufft.so.12 (CUDA 13) is not here"; exit 1; }
    ln -s "$cufft" "$build/lib/"
  fi
else
  stage build 60 cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DUPLIFT_TESTS=ON -DUPLIFT_CPU_ISAS=native "${configuration[@]}" || exit 1
  stage build 240 cmake --build "$build" --target uplift test_simt || exit 1
fi
uplift=$build/bin/uplift
stage info 30 "$uplift" info --devices
if [[ $device == cuda && -e $out/info.log ]] && ! grep -q 'compute capability' "$out/info.log"; then
  echo "info: the program sees no GPU" | tee -a "$summary"
  exit 1
fi

# Tests on this device, each in a process of its own: a kernel that fails ends what comes after it in its process.
emulated=$([[ $device == cuda ]] && echo cuda || echo simt)
"$build/bin/test_simt" --gtest_list_tests | awk -v on="= [(]?$emulated(,|$)" '/^[^ ]/ {suite = $1} /^ / && $0 ~ on {print suite $1, $0}' >"$out/tests.txt"
[[ -s $out/tests.txt ]] || { echo "gpu_day: test_simt names no test on $emulated"; exit 1; }
# Full names of the tests on this device whose name or parameters match go through the sanitizers, which take as long as all other tests: beside them.
filter=$(grep -E "$sanitize" "$out/tests.txt" | awk '{print $1}' | paste -sd:)
[[ -n $filter ]] || { echo "sanitizer: no test matches $sanitize" | tee -a "$summary"; status=1; }
beside=()
if [[ $device == cuda && -n $filter ]]; then
  for tool in memcheck racecheck initcheck synccheck; do
    stage "sanitizer:$tool" 90 compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/bin/test_simt" "--gtest_filter=$filter" &
    beside+=($!)
  done
fi
stage tests 90 xargs -P 8 -I '{}' timeout 60 "$build/bin/test_simt" --gtest_brief=1 '--gtest_filter={}' < <(awk '{print $1}' "$out/tests.txt")
for precision in double mixed; do
  stage "reference:$precision" 45 "$python" tests/reference/check_inputs.py "$uplift" --backend "$device" --precision "$precision"
done

for process in "${beside[@]}"; do wait "$process" || status=1; done
[[ $device == cuda || -z $filter ]] || stage "sanitizer:none" 60 "$build/bin/test_simt" "--gtest_filter=$filter"

# Ranks that share the GPU: the same bits on two, three and four, forces that are the CPU's.
if command -v mpirun >/dev/null && grep -qs '^MPI_mpi_LIBRARY:.*/' "$build/CMakeCache.txt"; then
  UPLIFT_DEVICE=$emulated stage ranks 60 "$python" tests/mpi/device_domains_test.py "$uplift" mpirun --oversubscribe --allow-run-as-root --bind-to none
else
  echo "ranks: skipped, no MPI here" | tee -a "$summary"
fi

# What each kernel takes by itself.
stage kernels 40 "$python" benchmarks/kernel_times.py "$uplift" inputs/benchmark.yaml --json "$out/kernel-times.json"

# What frames and rows of energies cost. SYSTEM_OF_FRAMES: folder of another system, as of output_cost.py.
frames_system=${SYSTEM_OF_FRAMES:-inputs/sdf1-tip3p}
frames_steps=$([[ $device == cuda ]] && echo 5000 || echo 50)
for what in frames rows; do
  stage "$what" 40 "$python" benchmarks/output_cost.py "$uplift" --what "$what" --backend "$device" --system "$frames_system" --every 10 \
    --steps "$frames_steps" --repeats 3 --json "$out/output-cost.json"
  [[ -e $out/$what.log ]] && tail -n 1 "$out/$what.log" | tee -a "$summary"
done

# What boosts and barostats cost, and eight replicas in one process against one after another.
boost_steps=$([[ $device == cuda ]] && echo 5000 || echo 50)
for what in boosts barostats; do
  stage "$what" 40 "$python" benchmarks/stage_cost.py "$uplift" --what "$what" --backend "$device" --system "$frames_system" --steps "$boost_steps" \
    --repeats 3 --json "$out/stage-cost.json"
done
picoseconds=$([[ $device == cuda ]] && echo 100 || echo 1)
stage replicas 60 "$python" benchmarks/replicas.py "$uplift" --backend "$device" --picoseconds "$picoseconds" --repeats 1 --json "$out/replica-throughput.json"
for what in boosts barostats replicas; do [[ -e $out/$what.log ]] && tail -n 2 "$out/$what.log" | tee -a "$summary"; done

budget=$(($(left) - 15))
stage timings $((budget + 10)) "$python" benchmarks/gpu_side_by_side.py "$uplift" --backend "$device" --budget "$budget" --seconds 4 --repeats 3 \
  --json "$out/gpu-side-by-side.json" "$@"
[[ -e $out/timings.log ]] && sed -n '/^system  /,$p' "$out/timings.log" | tee -a "$summary"
echo "results: $out"
exit $status
