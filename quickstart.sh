#!/usr/bin/env bash
# From a clone to a first trajectory: installs what is missing, builds for this machine only, runs solvated alanine dipeptide.
set -euo pipefail
cd "$(dirname "$0")"
tools/install-packages.sh build
cmake -S . -B build/quick -G Ninja -DCMAKE_BUILD_TYPE=Release -DUPLIFT_TESTS=OFF -DUPLIFT_CPU_ISAS=native >build-quick.log 2>&1 ||
  { cat build-quick.log; exit 1; }
rm -f build-quick.log
cmake --build build/quick
if [[ -e aladip-run ]]; then
  echo "aladip-run/ is there already, and a run is never overwritten: remove it to run again."
else
  build/quick/bin/uplift run examples/alanine-dipeptide/explicit.yaml --set output.directory="$PWD/aladip-run"
fi
cat <<TEXT

The run is in aladip-run/:
  trajectory.h5md + topology.pdb   open with MDAnalysis:  Universe("aladip-run/topology.pdb", "aladip-run/trajectory.h5md"), or VMD
  energies.h5                      h5py, or:  build/quick/bin/uplift info aladip-run/energies.h5
  run.log                          resolved input, machine, time per phase
Next: build/quick/bin/uplift --help, README.md, examples/
TEXT
