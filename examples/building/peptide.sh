#!/bin/sh
# Chignolin from its sequence in salt water, minimised, warmed up, at its density, and 10 ps of it: a few minutes on two cores.
# Without the shorter times the input that was written runs 1 ns. UPLIFT: the program, where it is not on the PATH.
set -e
uplift=${UPLIFT:-uplift}
$uplift build --sequence GYDPETGTWG --padding "0.8 nm" --salt "0.15 mol/L" -o peptide
$uplift validate peptide.yaml
$uplift run peptide.yaml --set stages.warm.time="2 ps" --set stages.density.time="5 ps" --set stages.production.time="10 ps"
