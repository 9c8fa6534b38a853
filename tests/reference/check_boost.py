#!/usr/bin/python3
"""Boosts and boosted forces against double-precision references of accelerated MD, snapshot by snapshot.

  check_boost.py UPLIFT --references FOLDER --systems FOLDER [--backend cpu] [--frames 20]

FOLDER/SYSTEM of the references: amd_reference.h5 (positions, box, per parameter set boosts and forces) and amd_reference.json (settings, parameters);
of the systems: system.prmtop[.gz]. Needs python3-h5py and python3-scipy. Run by hand where such references are.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np
from scipy.io import netcdf_file

LIMIT = 1e-6  # relative to the rms force; of the boost relative to 1 kJ/mol or its size


def write_restart(path, x, box):
    """Amber NetCDF, Angstrom: the only coordinate file that rounds nothing."""
    f = netcdf_file(path, "w", version=2)
    f.Conventions, f.ConventionVersion, f.program, f.programVersion = b"AMBERRESTART", b"1.0", b"check_boost", b"1"
    for name, size in (("atom", len(x)), ("spatial", 3), ("cell_spatial", 3), ("cell_angular", 3)):
        f.createDimension(name, size)
    def put(name, dimensions, unit, values):
        v = f.createVariable(name, "d", dimensions)
        v.units = unit
        v[:] = values
    put("coordinates", ("atom", "spatial"), b"angstrom", 10 * x)
    if box is not None:
        put("cell_lengths", ("cell_spatial",), b"angstrom", 10 * np.diag(box))
        put("cell_angles", ("cell_angular",), b"degree", 90.0)
    f.close()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--references", required=True)
    p.add_argument("--systems", required=True)
    p.add_argument("--backend", default="cpu")
    p.add_argument("--frames", type=int, default=20)
    o = p.parse_args()
    failed = 0
    for system in sorted(os.listdir(o.references)):
        with open(os.path.join(o.references, system, "amd_reference.json")) as f:
            about = json.load(f)
        reference = h5py.File(os.path.join(o.references, system, "amd_reference.h5"), "r")
        pme = about["settings"]["pme"]
        forces = "nonbonded: no-cutoff, constraints: h-bonds" if not pme else (
            f"nonbonded: pme, cutoff: {pme['cutoff_nm']} nm, constraints: h-bonds, dispersion_correction: {str(about['settings']['lj_dispersion_correction']).lower()}, "
            f"pme: {{alpha: {pme['pme_alpha_per_nm']} /nm, grid: {pme['pme_grid']}, order: 5}}")
        topology = next(os.path.abspath(os.path.join(o.systems, system, n)) for n in os.listdir(os.path.join(o.systems, system)) if n.startswith("system.prmtop"))
        worst = {}
        with tempfile.TemporaryDirectory() as folder:
            at = lambda name: os.path.join(folder, name)
            for frame in range(min(o.frames, about["snapshots"])):
                write_restart(at("x.rst7"), reference["positions"][frame], reference["box"][()] if pme else None)
                for name, q in about["parameter_sets"].items():
                    for boost, key in (("dihedral", "dihedral"), ("total", "total"), ("dual", "dual_nested")):
                        parts = [f"{w}: {{threshold: {q['E_' + w]} kJ/mol, alpha: {q['alpha_' + w]} kJ/mol}}" for w in ("dihedral", "total") if boost in (w, "dual")]
                        with open(at("in.yaml"), "w") as f:
                            f.write(f"version: 1\nsystem: {{topology: {topology}, coordinates: x.rst7}}\nforces: {{{forces}}}\ncompute: {{precision: double, backend: {o.backend}}}\n"
                                    f"stages: [{{name: a, time: 1 ps, bias: {{method: amd, boost: {boost}, parameters: {{{', '.join(parts)}}}}}}}]\n")
                        subprocess.run([o.uplift, "energy", at("in.yaml"), "--json", at("e.json"), "--forces", at("f.h5")], check=True, stdout=subprocess.DEVNULL)
                        with open(at("e.json")) as f:
                            e = json.load(f)["energies"]
                        g = reference[name]
                        expected = {"boost_dihedral": 0 if boost == "total" else g["dV_dihedral"][frame],
                                    "boost_total": 0 if boost == "dihedral" else g["dV_total" if boost == "total" else "dV_total_nested"][frame]}
                        error = max(abs(e[k] - v) / max(1, abs(v)) for k, v in expected.items())
                        force = 0.0
                        if "forces_" + key in g:
                            with h5py.File(at("f.h5"), "r") as f:
                                r = g["forces_" + key][frame]
                                force = np.sqrt(((f["forces"][()] - r) ** 2).mean() / (r ** 2).mean())
                        a = worst.setdefault((name, boost), [0.0, 0.0])
                        a[0], a[1] = max(a[0], error), max(a[1], force)
        for (name, boost), (error, force) in worst.items():
            good = error < LIMIT and force < LIMIT
            failed += not good
            print(f"{system:<16}{name:<12}{boost:<10}boost {error:.1e}  force {force:.1e}  {'ok' if good else 'FAILED'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
