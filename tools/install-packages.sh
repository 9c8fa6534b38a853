#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that are missing for: build | test | package (cpack -G DEB). Does nothing, and needs no root, when all are there.
set -euo pipefail
build=(g++ cmake ninja-build pkg-config libyaml-cpp-dev libcli11-dev libfmt-dev libspdlog-dev libhdf5-dev libnetcdf-dev libeigen3-dev
       libfftw3-dev libopenmpi-dev openmpi-bin libhwy-dev librandom123-dev nlohmann-json3-dev zlib1g-dev gemmi-dev tao-pegtl-dev libpugixml-dev
       python3-matplotlib)
test=(libgtest-dev libgmock-dev libboost-context-dev python3-numpy python3-h5py python3-cbor2 python3-mdanalysis python3-mdtraj python3-netcdf4
      mkdocs libopenmm-plugins python3-parmed gromacs gromacs-data theseus-examples
      slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge)
packaging=(dpkg-dev file)
wanted=("${build[@]}")
[[ ${1:-build} == test ]] && wanted+=("${test[@]}" "${packaging[@]}")
[[ ${1:-build} == package ]] && wanted+=("${packaging[@]}")

installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
missing=()
for package in "${wanted[@]}"; do
  installed "$package" || missing+=("$package")
done
# OpenMM for Python: the package has another name before Debian 13.
openmm=()
[[ ${1:-build} == test ]] && ! installed python3-openmm && ! installed python3-simtk && openmm=(python3-openmm)
# A browser looks at reports. Ubuntu has none as a package: the test that wants it is skipped there.
browser=()
[[ ${1:-build} == test ]] && ! installed chromium && ! command -v chromium-browser google-chrome >/dev/null && browser=(chromium)
# Fuzz targets want Clang with the runtime of its version, which has a package of its own in some distributions.
fuzzer=()
[[ ${1:-build} == test ]] && ! compgen -G '/usr/lib/llvm*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a' >/dev/null && fuzzer=(clang)
((${#missing[@]} + ${#openmm[@]} + ${#browser[@]} + ${#fuzzer[@]})) || exit 0

as_root=()
if [[ $(id -u) != 0 ]]; then
  ((${#missing[@]} + ${#openmm[@]})) || exit 0
  command -v sudo >/dev/null || { echo "These packages are missing and can only be installed by root: ${missing[*]} ${openmm[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "Installing: ${missing[*]} ${openmm[*]} ${browser[*]} ${fuzzer[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
if ((${#openmm[@]})); then
  [[ -n $(apt-cache policy python3-openmm) ]] || openmm=(python3-simtk)
  missing+=("${openmm[@]}")
fi
# The test of job scripts starts daemons of its own; the packages' own (Slurm, munge) stay down.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy && " ${missing[*]} " == *" slurmctld "* ]]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
  "${as_root[@]}" chmod +x $policy
  trap '"${as_root[@]}" rm -f $policy' EXIT
fi
((${#missing[@]} == 0)) || "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
((${#browser[@]} == 0)) || "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${browser[@]}" >/dev/null || echo "no Chromium: the test of report.html will be skipped"
if ((${#fuzzer[@]})); then
  runtime=$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p' | head -1)
  [[ -n $runtime && -n $(apt-cache policy "$runtime") ]] && fuzzer+=("$runtime")
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${fuzzer[@]}" >/dev/null || echo "no Clang: fuzz targets will be skipped"
fi
