#!/usr/bin/env bash
# packaging/build-packages.sh SOURCE FOLDER: the Debian packages of SOURCE into FOLDER, for the distribution that this runs on: installs what
# building wants, builds in a folder of its own, with CUDA where there is nvcc.
set -euo pipefail
source=$(cd "$1" && pwd) folder=$2
"$source/tools/install-packages.sh" package
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cuda=OFF
command -v nvcc /usr/local/cuda/bin/nvcc >/dev/null && cuda=ON
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DUPLIFT_TESTS=OFF -DUPLIFT_CUDA=$cuda
cmake --build "$build"
(cd "$build" && cpack -G DEB)
mkdir -p "$folder"
cp "$build"/*.deb "$folder"
