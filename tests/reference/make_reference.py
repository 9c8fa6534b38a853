#!/usr/bin/python3
"""Double-precision energies and forces of the systems in inputs/, by OpenMM's Reference platform: the engine's independent judge.

  make_reference.py [SYSTEM ...]        needs (Debian): python3-simtk, python3-h5py, python3-numpy

Writes data/SYSTEM.json (settings and energies, kJ/mol) and data/SYSTEM.h5 (one dataset `forces/<setting>` each, [atoms, 3], kJ/mol/nm,
float64 kept to 36 mantissa bits). Every setting carries the `forces:` block of the YAML that asks uplift for the same thing; all
bonds and waters are flexible. Coulomb and Lennard-Jones energies include the scaled 1-4 pairs.
"""
import gzip
import json
import os
import shutil
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
import h5py
import numpy as np
import openmm as mm
from openmm import app, unit as u

HERE = os.path.dirname(os.path.abspath(__file__))
INPUTS = os.path.join(HERE, "..", "..", "inputs")
KJ, NM = u.kilojoule_per_mole, u.nanometer

PME = {"nonbonded": "pme", "cutoff": "0.9 nm", "dispersion_correction": True}
FREE = {"nonbonded": "no-cutoff"}


def gb(model, surface="none", salt=0.0):
    return {**FREE, "implicit_solvent": {"model": model, "solute_dielectric": 1.0, "solvent_dielectric": 78.5,
                                         "salt": f"{salt} mol/L", "surface": surface}}


def pme(alpha, grid, **more):
    return {**PME, "pme": {"alpha": f"{alpha} /nm", "grid": grid, "order": 5}, **more}


SYSTEMS = {
    "alanine-dipeptide-vacuum": {"vacuum": FREE, **{m: gb(m) for m in ("hct", "obc1", "obc2", "gbn", "gbn2")}, "obc2-ace": gb("obc2", "ace")},
    "alanine-dipeptide-tip3p": {"pme": pme(3.5, [32, 30, 32]), "pme-switched": pme(3.0, [28, 28, 28], switch_distance="0.75 nm"),
                                "reaction-field": {"nonbonded": "reaction-field", "cutoff": "0.9 nm", "dispersion_correction": False,
                                                   "reaction_field": {"dielectric": 78.5}}},
    "water-tip3p": {"pme": pme(3.2, [32, 32, 32])},
    "chignolin-extended": {"vacuum": FREE, "obc2-ace": gb("obc2", "ace")},
    "sdf1-implicit": {"vacuum": FREE, "obc2-ace": gb("obc2", "ace"), "gbn2": gb("gbn2")},
    "sdf1-tip3p": {"pme": pme(3.4, [54, 54, 54])},
}


def find(folder, name):
    for suffix in ("", ".gz"):
        if os.path.exists(os.path.join(folder, name + suffix)):
            return os.path.join(folder, name + suffix)
    raise FileNotFoundError(os.path.join(folder, name))


def unzipped(path, folder, name):
    out = os.path.join(folder, name)
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f, open(out, "wb") as g:
        shutil.copyfileobj(f, g)
    return out


def length(text):
    return float(text.split()[0])


def build(prmtop, block, box):
    kw = dict(constraints=None, rigidWater=False, removeCMMotion=False)
    if block["nonbonded"] == "no-cutoff":
        kw["nonbondedMethod"] = app.NoCutoff
        solvent = block.get("implicit_solvent")
        if solvent:
            models = {"hct": app.HCT, "obc1": app.OBC1, "obc2": app.OBC2, "gbn": app.GBn, "gbn2": app.GBn2}
            kw.update(implicitSolvent=models[solvent["model"]], gbsaModel="ACE" if solvent["surface"] == "ace" else None)
        return prmtop.createSystem(**kw)
    kw.update(nonbondedMethod=app.PME if block["nonbonded"] == "pme" else app.CutoffPeriodic,
              nonbondedCutoff=length(block["cutoff"]) * NM)
    if "switch_distance" in block:
        kw["switchDistance"] = length(block["switch_distance"]) * NM
    system = prmtop.createSystem(**kw)
    system.setDefaultPeriodicBoxVectors(*box)
    for force in system.getForces():
        if isinstance(force, mm.NonbondedForce):
            force.setUseDispersionCorrection(block["dispersion_correction"])
            if block["nonbonded"] == "pme":
                force.setPMEParameters(length(block["pme"]["alpha"]), *block["pme"]["grid"])
            else:
                force.setReactionFieldDielectric(block["reaction_field"]["dielectric"])
    return system


def evaluate(system, positions):
    """Energy of each force class and the total force."""
    groups = {}
    for k, force in enumerate(system.getForces()):
        force.setForceGroup(k)
        groups[k] = type(force).__name__
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions)
    energies = {}
    for k, name in groups.items():
        e = context.getState(getEnergy=True, groups={k}).getPotentialEnergy().value_in_unit(KJ)
        energies[name] = energies.get(name, 0.0) + e
    state = context.getState(getEnergy=True, getForces=True)
    energies["potential"] = state.getPotentialEnergy().value_in_unit(KJ)
    return energies, state.getForces(asNumpy=True).value_in_unit(KJ / NM)


def trimmed(a):
    mantissa, exponent = np.frexp(a)
    return np.ldexp(np.round(mantissa * 2.0**36) / 2.0**36, exponent)


def background(prmtop, box, alpha):
    """Neutralising background of a charged cell, which OpenMM leaves out [kJ/mol]."""
    charge = sum(prmtop._prmtop.getCharges())
    volume = np.linalg.det(np.array(box.value_in_unit(NM)))
    return -138.93545764438198 * np.pi * charge**2 / (2 * volume * alpha**2)


def main():
    for name in sys.argv[1:] or SYSTEMS:
        folder = os.path.join(INPUTS, name)
        files = {"topology": find(folder, "system.prmtop"), "coordinates": find(folder, "system.inpcrd")}
        with tempfile.TemporaryDirectory() as scratch:
            prmtop = app.AmberPrmtopFile(unzipped(files["topology"], scratch, "a.prmtop"))
            inpcrd = app.AmberInpcrdFile(unzipped(files["coordinates"], scratch, "a.inpcrd"))
        record = {"system": name, "atoms": prmtop.topology.getNumAtoms(), "openmm": mm.version.version, "platform": "Reference",
                  "files": {k: os.path.basename(v) for k, v in files.items()}, "settings": {}}
        with h5py.File(os.path.join(HERE, "data", name + ".h5"), "w") as h5:
            for setting, block in SYSTEMS[name].items():
                print(name, setting, flush=True)
                energies, forces = evaluate(build(prmtop, block, inpcrd.boxVectors), inpcrd.positions)
                if "pme" in block:
                    energies["potential"] += background(prmtop, inpcrd.boxVectors, length(block["pme"]["alpha"]))
                record["settings"][setting] = {"forces": block, "energies": energies}
                h5.create_dataset("forces/" + setting, data=trimmed(forces), compression="gzip", shuffle=True)
        with open(os.path.join(HERE, "data", name + ".json"), "w") as f:
            json.dump(record, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
