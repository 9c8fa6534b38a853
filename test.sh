#!/usr/bin/env bash
# Installs what is missing, builds every CPU variant, runs all tests. Arguments go to ctest (-L unit, -R name ...).
set -euo pipefail
cd "$(dirname "$0")"
tools/install-packages.sh test
cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DUPLIFT_TESTS=ON
cmake --build build/release
ctest --test-dir build/release --output-on-failure -j "$(nproc)" "$@"
