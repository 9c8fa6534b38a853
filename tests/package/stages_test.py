#!/usr/bin/python3
"""What changes from stage to stage, and what a run must say of itself: masses, drifting molecules, boxes at the limit.

  stages_test.py UPLIFT      exit status 77 (skip) when h5py is missing
"""
import json
import os
import re
import subprocess

from checks import INPUTS, UPLIFT, run_all
from hdf5 import h5py, np


def run(folder, system, forces, dynamics, stages, expect=0, every="20 fs", more=()):
    path, end = os.path.join(folder, "run.yaml"), "" if system.endswith("vacuum") else ".gz"
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: {INPUTS}/{system}/system.prmtop{end}, coordinates: {INPUTS}/{system}/system.inpcrd{end}}}
forces: {{{forces}}}
dynamics: {{temperature: 300 K, seed: 5, {dynamics}{"" if "timestep" in dynamics else ", timestep: 2 fs"}}}
stages:
{stages}
output: {{trajectory: {{every: {every}, velocities: true}}, energies: {{every: {every}}}, report: false}}
compute: {{backend: cpu}}
""")
    done = subprocess.run([UPLIFT, "run", path, "--quiet", *more], capture_output=True, text=True)
    assert done.returncode == expect, (done.returncode, done.stderr)
    out = os.path.join(folder, "run")
    with open(os.path.join(out, "run.log")) as f:
        return out, f.read() + done.stderr


def column(out, name):
    with h5py.File(os.path.join(out, "energies.h5")) as f:
        return f["time"][()], f[name][()]


def heavier_hydrogens_leave_the_temperature(folder):
    out, log = run(folder, "sdf1-implicit", "nonbonded: no-cutoff, implicit_solvent: {model: obc2}", "integrator: langevin",
                   "  - {name: equilibrate, time: 0.4 ps}\n  - {name: heavy, time: 0.2 ps, integrator: verlet, hydrogen_mass: 3.024 amu}")
    time, temperature = column(out, "temperature")
    before, after = temperature[(time > 0.25) & (time < 0.39)].mean(), temperature[(time > 0.41) & (time < 0.59)].mean()
    # Velocities that stayed as they were would bring hydrogens three times their energy: a third more in all.
    assert abs(after / before - 1) < 0.08, (before, after)
    assert "velocities are scaled so that the temperature stays" in log, log


def water_that_becomes_rigid_is_light_again(folder):
    """Hydrogens of rigid water are left alone, so that its masses change with rigid_water."""
    out, log = run(folder, "water-tip3p-small", "cutoff: 0.7 nm, hydrogen_mass: 3.024 amu, rigid_water: false", "integrator: verlet, timestep: 1 fs",
                   "  - {name: soft, time: 0.05 ps}\n  - {name: stiff, time: 0.01 ps, rigid_water: true}", every="1 fs")
    with h5py.File(os.path.join(out, "trajectory.h5md")) as f:
        oxygen = (f["particles/trajectory/velocity/value"][:, ::3].astype(float) ** 2).sum(axis=(1, 2))
    # As much slower as oxygens become heavier, from 11.98 to 16.
    assert abs(oxygen[51] / oxygen[50] - 0.75) < 0.06, oxygen[49:53] / oxygen[50]
    assert "velocities are scaled so that the temperature stays" in log, log


def verlet_goes_on_with_the_energy_that_is_there(folder):
    """After a thermostat, whose velocities are half a step behind: in one go, and stopped and resumed between the two."""
    stages = ("  - {name: warm, time: 0.2 ps, collect: energies}\n", "  - {name: nve, time: 0.1 ps, integrator: verlet, timestep: 2 fs}")
    options = ("cutoff: 0.8 nm, switch_distance: 0.7 nm, hydrogen_mass: 3.024 amu", "integrator: langevin, friction: 5 /ps, timestep: 4 fs, multiple_time_step: [{forces: [pme-reciprocal], every: 2}, {forces: [bonded, nonbonded], every: 1}]")
    out, _ = run(folder, "water-tip3p-small", *options, "".join(stages).replace("verlet", "verlet, multiple_time_step: none"), every="4 fs")
    time, conserved = column(out, "conserved_quantity")
    before, after = conserved[(time > 0.17) & (time < 0.201)].mean(), conserved[time > 0.201].mean()
    # Velocities of half a step before would bring 11 kJ/mol.
    assert abs(after - before) < 4, (before, after)
    everything = [column(out, name)[1] for name in ("step", "conserved_quantity", "kinetic")]
    os.rename(out, out + "-whole")
    run(folder, "water-tip3p-small", *options, stages[0], every="4 fs")
    run(folder, "water-tip3p-small", *options, "".join(stages).replace("verlet", "verlet, multiple_time_step: none"), every="4 fs", more=("--resume",))
    assert all(np.array_equal(column(out, name)[1], wanted) for name, wanted in zip(("step", "conserved_quantity", "kinetic"), everything))


def molecules_do_not_fly_away(folder):
    """Without a box, too, unless Langevin's friction sees to it."""
    for integrator, every, stays in (("v-rescale", 100, True), ("v-rescale", 0, False)):
        out, _ = run(folder, "alanine-dipeptide-vacuum", "nonbonded: no-cutoff", f"integrator: {integrator}, com_removal_every: {every}",
                     "  - {name: free, time: 4 ps}", every="0.2 ps")
        with h5py.File(os.path.join(out, "trajectory.h5md")) as f:
            x, mass = f["particles/trajectory/position/value"][()], f["particles/trajectory/mass"][()]
        centre = np.einsum("a,fad->fd", mass / mass.sum(), x.astype(float))
        moved = np.linalg.norm(centre[-1] - centre[0])
        # 144 Da at 300 K move by 0.2 nm/ps.
        assert (moved < 1e-3) == stays, (integrator, every, moved)
        subprocess.run(["rm", "-r", out], check=True)


def restrained_and_single_atoms_keep_their_motion(folder):
    """Restraints take momentum up, so that there is none to remove, with a box, too; a single atom has no other motion."""
    with open(os.path.join(folder, "argon.top"), "w") as f:
        f.write("[ defaults ]\n1 2 yes 0.5 0.8333\n[ atomtypes ]\nAR 18 39.948 0 A 0.34 0\n[ moleculetype ]\nAR 1\n"
                "[ atoms ]\n1 AR 1 AR AR 1 0 39.948\n[ system ]\nargon\n[ molecules ]\nAR 1\n")
    with open(os.path.join(folder, "argon.gro"), "w") as f:
        f.write("argon\n    1\n    1AR      AR    1   1.000   1.000   1.000\n   3.0 3.0 3.0\n")
    path = os.path.join(folder, "argon.yaml")
    for restraints, system, dof in ((", restraints: {positions: all, k: 5000 kJ/mol/nm^2}", "", 3), ("", "", 3), ("", "copies: [2, 1, 1]", 3),
                                    (", restraints: {positions: all, k: 5000 kJ/mol/nm^2}", "copies: [2, 1, 1]", 6)):
        with open(path, "w") as f:
            f.write(f"""version: 1
system: {{topology: argon.top, coordinates: argon.gro, {system}}}
dynamics: {{integrator: v-rescale, friction: 5 /ps, seed: 3}}
stages: [{{name: free, time: 40 ps{restraints}}}]
output: {{trajectory: {{every: 0 ps}}, energies: {{every: 0.02 ps}}, report: false}}
compute: {{backend: cpu}}
""")
        done = subprocess.run([UPLIFT, "run", path, "--quiet"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        out = os.path.join(folder, "argon")
        with open(os.path.join(out, "run.log")) as f:
            log = f.read()
        assert f" {dof} degrees of freedom" in log and "warning" not in log, log
        _, kinetic = column(out, "kinetic")
        mean, kt = kinetic[100:].mean(), 0.0083145 * 300
        # Canonical kinetic energies scatter by sqrt(2/dof) of their mean; 38 ps are some 100 independent ones of a thermostat of 0.2 ps.
        assert abs(mean / (dof * kt / 2) - 1) < 4 * np.sqrt(2 / dof / 100), (dof, mean)
        subprocess.run(["rm", "-r", out], check=True)


def a_box_at_the_cutoffs_wall_is_an_error(folder):
    _, log = run(folder, "water-tip3p-small", "nonbonded: pme, cutoff: 0.939 nm", "integrator: langevin, pressure: {pressure: 2000 bar, every: 2}",
                 "  - {name: press, time: 2 ps}", expect=1, every="0.2 ps")
    assert "twice the cutoff" in log and "trial volumes" in log, log


def a_mesh_for_another_box_is_told(folder):
    out, log = run(folder, "water-tip3p-small", "nonbonded: pme, cutoff: 0.6 nm",
                   "integrator: langevin, pressure: {barostat: c-rescale, pressure: -6000 bar, every: 5, relaxation_time: 0.2 ps}",
                   "  - {name: stretch, time: 3 ps, timestep: 1 fs, temperature: 400 K}", every="0.2 ps")
    with h5py.File(os.path.join(out, "trajectory.h5md")) as f:
        edges = f["particles/trajectory/box/edges/value"][()]
    assert edges[-1, 0, 0] > 1.1 * edges[0, 0, 0], edges[[0, -1]]
    assert "the PME mesh was chosen for the box of then" in log, log


def a_mesh_without_charges_is_no_matter(folder):
    with open(os.path.join(folder, "argon.top"), "w") as f:
        f.write("[ defaults ]\n1 2 yes 0.5 0.8333\n[ atomtypes ]\nAR 18 39.948 0 A 0.34 0\n[ moleculetype ]\nAR 1\n"
                "[ atoms ]\n1 AR 1 AR AR 1 0 39.948\n[ system ]\nargon\n[ molecules ]\nAR 8\n")
    with open(os.path.join(folder, "argon.gro"), "w") as f:
        f.write("argon\n    8\n" + "".join(f"{k + 1:5d}AR      AR{k + 1:5d}{0.5 * k:8.3f}{0.3 * k:8.3f}{1:8.3f}\n" for k in range(8)) + "   5.0 5.0 5.0\n")
    path = os.path.join(folder, "argon.yaml")
    with open(path, "w") as f:
        f.write("""version: 1
system: {topology: argon.top, coordinates: argon.gro}
dynamics: {pressure: {pressure: 1 bar, every: 2}}
stages: [{name: expand, time: 4 ps}]
output: {trajectory: {every: 0 ps}, energies: {every: 0.2 ps}, report: false}
compute: {backend: cpu}
""")
    done = subprocess.run([UPLIFT, "run", path, "--quiet"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    out = os.path.join(folder, "argon")
    _, volume = column(out, "volume")
    assert volume[-1] > 1.4 * volume[0], volume
    with open(os.path.join(out, "run.log")) as f:
        log = f.read()
    assert "PME mesh was chosen" not in log, log


def a_checkpoint_holds_the_end_of_a_run(folder):
    out, _ = run(folder, "alanine-dipeptide-tip3p", "nonbonded: pme, cutoff: 0.8 nm", "integrator: langevin",
                 "  - {name: minimise, minimize: {max_steps: 30}}")
    checkpoint, restart = os.path.join(out, "checkpoint.upc"), os.path.join(folder, "end.ncrst")
    subprocess.run([UPLIFT, "convert", checkpoint, restart], check=True, capture_output=True)
    potential = {}
    for name in (f"{INPUTS}/alanine-dipeptide-tip3p/system.inpcrd.gz", checkpoint, restart):
        done = subprocess.run([UPLIFT, "energy", os.path.join(folder, "run.yaml"), "--set", "system.coordinates=" + name, "--json", os.path.join(folder, "e.json")],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        with open(os.path.join(folder, "e.json")) as f:
            potential[name] = json.load(f)["energies"]["potential"]
    start, end, converted = potential.values()
    assert end < start - 1000 and abs(converted - end) < 1e-3 * abs(end - start), potential


def frames_belong_to_the_stage_that_ended_there(folder):
    """Frames are equally far apart in stages of two time steps, none where one begins between two of them, and each has the boost of its own stage."""
    out, _ = run(folder, "alanine-dipeptide-vacuum", "nonbonded: no-cutoff", "integrator: langevin",
                 "  - {name: plain, time: 0.3 ps, timestep: 1 fs}\n"
                 "  - {name: boosted, time: 0.3 ps, bias: {method: amd, boost: total, parameters: {total: {threshold: 200 kJ/mol, alpha: 50 kJ/mol}}}}", every="0.2 ps")
    with h5py.File(os.path.join(out, "trajectory.h5md")) as f:
        step, time, boost = f["particles/trajectory/position/step"][()], f["particles/trajectory/position/time"][()], f["observables/boost_total/value"][()]
    assert list(step) == [0, 200, 350, 450] and np.allclose(time, [0, 0.2, 0.4, 0.6]) and np.array_equal(boost > 0, step > 300), (step, time, boost)
    rows, _ = column(out, "temperature")
    assert np.allclose(rows, time), rows


def info_averages_the_last_stage(folder):
    out, _ = run(folder, "alanine-dipeptide-vacuum", "nonbonded: no-cutoff", "integrator: langevin",
                 "  - {name: cold, time: 0.2 ps, temperature: 10 K}\n  - {name: warm, time: 0.4 ps, friction: 20 /ps}\n  - {name: none, time: 8 fs}")
    time, temperature = column(out, "temperature")
    warm = temperature[(time > 0.21) & (time < 0.61)]
    table = os.path.join(out, "energies.h5")
    said = lambda: subprocess.run([UPLIFT, "info", table], capture_output=True, text=True, check=True).stdout
    number = lambda text: float(re.search(r"\n  temperature +(\S+)", text)[1])
    text = said()
    assert f"averages      stage warm, {len(warm)} rows" in text and abs(number(text) - warm.mean()) < 1e-3, text
    os.remove(os.path.join(out, "stages.json"))
    text = said()
    assert "averages" not in text and abs(number(text) - temperature.mean()) < 1e-3, text


run_all(a_checkpoint_holds_the_end_of_a_run, heavier_hydrogens_leave_the_temperature, water_that_becomes_rigid_is_light_again, verlet_goes_on_with_the_energy_that_is_there, molecules_do_not_fly_away, a_box_at_the_cutoffs_wall_is_an_error, a_mesh_for_another_box_is_told, restrained_and_single_atoms_keep_their_motion, a_mesh_without_charges_is_no_matter, frames_belong_to_the_stage_that_ended_there, info_averages_the_last_stage)
