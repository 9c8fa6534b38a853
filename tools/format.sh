#!/usr/bin/env bash
# Formats every C++ and CUDA source by .clang-format, or lists those that are not (--check). Versions of clang-format differ: this is for 14.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(command -v clang-format-14 || command -v clang-format)
mapfile -t sources < <(git ls-files '*.cpp' '*.hpp' '*.cu' '*.cuh')
if [[ ${1:-} == --check ]]; then
  "$program" --dry-run -Werror "${sources[@]}"
else
  "$program" -i "${sources[@]}"
fi
