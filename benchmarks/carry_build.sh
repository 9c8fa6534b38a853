#!/usr/bin/env bash
# Packs a build for gpu_day.sh on a machine that has a GPU and none of the build packages: the program, the device tests and the libraries that both
# need, but for those of the system (glibc 2.36 or newer there) and cuFFT, which comes with the machine's CUDA 13. Runs where the packages and nvcc are.
#
#   benchmarks/carry_build.sh [ARCHIVE]      default: build/carried.tar.xz
#
# BUILD: build folder (build/carried). ARCHITECTURES: of the GPUs there (90: H100, H200).   There: CARRIED=ARCHIVE benchmarks/gpu_day.sh
set -euo pipefail
cd "$(dirname "$0")/.."
archive=${1:-build/carried.tar.xz}
build=${BUILD:-build/carried}
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DUPLIFT_TESTS=ON -DUPLIFT_MPI=OFF -DUPLIFT_CUDA=ON \
  "-DCMAKE_CUDA_ARCHITECTURES=${ARCHITECTURES:-90}-real" '-DCMAKE_BUILD_RPATH=$ORIGIN/../lib' -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags >/dev/null
cmake --build "$build" --target uplift test_simt
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/lib"
for program in uplift test_simt; do
  strip -o "$folder/bin/$program" "$build/bin/$program"
  ldd "$build/bin/$program" | awk '$3 ~ /^\// {print $3}' |
    grep -vE '/(libc|libm|libdl|librt|libpthread|libresolv|libstdc\+\+|libgcc_s|libcufft|libcuda)\.so' | xargs -r cp -Lnt "$folder/lib"
done
mkdir -p "$(dirname "$archive")"
tar -C "$folder" -cf - bin lib | xz -9 >"$archive"
ls -lh "$archive"
