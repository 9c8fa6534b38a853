#!/usr/bin/env bash
# Runs the slow physical validation, all of it or the scripts named: run.sh UPLIFT [ensembles.py] [water.py] [-- OPTIONS]. Half an hour on two
# cores. Makes an environment with the package physical_validation beside UPLIFT the first time (python3-venv and a network).
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
uplift="$(realpath "$1")"; shift
scripts=()
while [[ $# -gt 0 && "$1" != -- ]]; do scripts+=("$1"); shift; done
[[ $# -gt 0 ]] && shift
environment="$(dirname "$uplift")/../validation-environment"
if [[ ! -x "$environment/bin/python" ]]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" -q install physical_validation h5py
fi
status=0
for script in "${scripts[@]:-ensembles.py}" $([[ ${#scripts[@]} -eq 0 ]] && echo water.py); do
  "$environment/bin/python" "$here/$script" "$@" "$uplift" || status=1
done
exit $status
