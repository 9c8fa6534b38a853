#!/usr/bin/env bash
# From a clone to a free-energy surface: installs what is missing, builds for this machine only, runs alanine dipeptide with accelerated MD.
set -euo pipefail
cd "$(dirname "$0")"
tools/install-packages.sh build
cmake -S . -B build/quick -G Ninja -DCMAKE_BUILD_TYPE=Release -DUPLIFT_TESTS=OFF -DUPLIFT_CPU_ISAS=native >build-quick.log 2>&1 ||
  { cat build-quick.log; exit 1; }
rm -f build-quick.log
cmake --build build/quick
resume=()
[[ -e aladip-run ]] && resume=(--resume)  # a run is never overwritten: one that was stopped goes on
build/quick/bin/uplift run examples/alanine-dipeptide/implicit.yaml --set output.directory="$PWD/aladip-run" "${resume[@]}"
cat <<TEXT

The run is in aladip-run/:
  ramachandran.png, phi.png        free energy of phi and psi, recovered from the boosted run; numbers in .h5 and .csv
  report.html                      the whole run on one page: open it in a browser
  trajectory.h5md + topology.pdb   open with MDAnalysis:  Universe("aladip-run/topology.pdb", "aladip-run/trajectory.h5md"), or VMD
  energies.h5, amd.log             h5py; Amber's columns for the scripts that read them
  run.log                          resolved input, the derived boost, machine, time per phase
Other surfaces of the same run:    build/quick/bin/uplift reweight aladip-run --cv "psi=psi(2)" -o psi
Next: build/quick/bin/uplift --help, README.md, docs/, examples/
TEXT
