#!/usr/bin/python3
"""Runs the engine as a user would and looks at what it leaves, with the readers that users have.

  run_test.py [...] UPLIFT      exit status 77 (skip) when h5py or MDAnalysis is missing
"""
import json
import os
import re
import subprocess
import sys
import time
import warnings

from checks import INPUTS, UPLIFT, run_all

warnings.simplefilter("ignore")
try:
    import h5py
    import MDAnalysis
    import numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))


def write_input(folder, name, system, extra="", **keys):
    suffix = "" if "vacuum" in system else ".gz"
    text = f"""version: 1
title: {name}
system:
  topology: {INPUTS}/{system}/system.prmtop{suffix}
  coordinates: {INPUTS}/{system}/system.inpcrd{suffix}
forces: {keys.get('forces', '{nonbonded: pme, cutoff: 0.9 nm}')}
dynamics: {keys.get('dynamics', '{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 1 /ps, seed: 11}')}
stages: {keys.get('stages', '[{name: production, time: 0.2 ps}]')}
output: {{trajectory: {{every: 0.04 ps, velocities: true}}, report: false, energies: {{every: {keys.get('energies', '0.02 ps')}}}}}
{extra}
"""
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


def run(path, *options, expect=0, **environment):
    done = subprocess.run([UPLIFT, "run", path, *options], capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode in (expect if isinstance(expect, tuple) else (expect,)), f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return path[: -len(".yaml")], done


def arrays(folder):
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        g = f["particles/trajectory"]
        return [g[k]["value"][:] for k in ("position", "velocity")] + [g["position/step"][:]]


def rows(folder):
    """Columns of the energy table, its steps among them."""
    with h5py.File(os.path.join(folder, "energies.h5")) as f:
        return {name: f[name][:] for name in f if isinstance(f[name], h5py.Dataset)}


def a_run_begins_with_the_last_frame_of_another(scratch):
    # A thermostat would move the centre of mass, and a run begins without such a motion.
    verlet = "{integrator: verlet, timestep: 2 fs, temperature: 300 K, seed: 11}"
    folder, _ = run(write_input(scratch, "first", "alanine-dipeptide-tip3p", dynamics=verlet), "--quiet")
    path = write_input(scratch, "second", "alanine-dipeptide-tip3p", dynamics=verlet, stages="[{name: more, time: 0.04 ps}]")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace(f"{INPUTS}/alanine-dipeptide-tip3p/system.inpcrd.gz", os.path.join(folder, "trajectory.h5md")))
    second, _ = run(path, "--quiet")
    with h5py.File(os.path.join(folder, "energies.h5")) as f:
        kinetic, potential = f["kinetic"][-1], f["potential"][-1]
    with h5py.File(os.path.join(second, "energies.h5")) as f:
        # Positions and velocities went through float32.
        assert abs(f["kinetic"][0] - kinetic) < 1e-5 * kinetic, (f["kinetic"][0], kinetic)
        assert abs(f["potential"][0] - potential) < 1e-5 * abs(potential), (f["potential"][0], potential)
    # A trajectory of some of the atoms is no start.
    run(path, "--quiet", "--set", "output.trajectory.atoms=protein", "--set", f"output.directory={scratch}/part")
    with open(path, "w") as f:
        f.write(text.replace(f"{INPUTS}/alanine-dipeptide-tip3p/system.inpcrd.gz", os.path.join(scratch, "part", "trajectory.h5md")))
    _, done = run(path, "--quiet", "--set", f"output.directory={scratch}/none", expect=2)
    assert "22" in done.stderr and "2044" in done.stderr, done.stderr
    path = write_input(scratch, "isa", "alanine-dipeptide-vacuum", forces="{nonbonded: no-cutoff}")
    _, done = run(path, expect=2, UPLIFT_ISA="sse9")
    assert "UPLIFT_ISA=sse9 is not built in" in done.stderr and "here it may be " in done.stderr, done.stderr
    run(path, UPLIFT_ISA="", expect=0)


def same_bits_for_any_number_of_threads(scratch):
    runs = []
    for name, threads, energies in (("one", 1, "0.02 ps"), ("two", 2, "0.02 ps"), ("three", 3, "0.02 ps"), ("again", 2, "0.02 ps"), ("rarely", 2, "0.2 ps")):
        path = write_input(scratch, name, "alanine-dipeptide-tip3p", energies=energies)
        runs.append(arrays(run(path, "--threads", str(threads), "--quiet")[0]))
    for other in runs[1:]:
        for a, b in zip(runs[0], other):
            assert np.array_equal(a, b), "runs differ"
    assert len(runs[0][2]) == 6


def mdanalysis_reads_the_trajectory(scratch):
    folder, _ = run(write_input(scratch, "mda", "water-tip3p"), "--quiet")
    u = MDAnalysis.Universe(os.path.join(folder, "topology.pdb"), os.path.join(folder, "trajectory.h5md"))
    assert len(u.atoms) == 2661 and len(u.trajectory) == 6
    assert np.allclose([ts.time for ts in u.trajectory], np.arange(6) * 0.04)
    assert np.allclose(u.trajectory[-1].dimensions, [30.12345, 30.12345, 30.12345, 90, 90, 90], atol=1e-3), u.dimensions
    u.trajectory[5]
    oxygen, hydrogen = u.select_atoms("name O"), u.select_atoms("name H1")
    distance = np.linalg.norm(oxygen.positions - hydrogen.positions, axis=1)
    assert np.allclose(distance, 0.9572, atol=2e-4), distance[:5]  # rigid TIP3P; float32 positions of a 3 nm box


def energies_are_a_table(scratch):
    folder, _ = run(write_input(scratch, "table", "water-tip3p"), "--quiet")
    with h5py.File(os.path.join(folder, "energies.h5")) as f:
        columns = {}
        f.visititems(lambda name, item: columns.__setitem__(name, item[:]) if isinstance(item, h5py.Dataset) and item.shape == (11,) else None)
    find = lambda key: next(v for k, v in columns.items() if k.split("/")[-1] == key)
    assert list(find("step")) == list(range(0, 101, 10))
    assert np.all(np.abs(find("temperature") - 300) < 30)
    assert np.all(np.isfinite(find("pressure"))) and np.all(np.abs(find("volume") - 27.3349) < 1e-3)
    parts = [v for k, v in columns.items() if k.split("/")[-1] in ("lj", "coulomb_direct", "coulomb_reciprocal", "dispersion_correction", "bond", "angle")]
    assert np.allclose(sum(parts), find("potential"), rtol=1e-10)


def verlet_conserves_energy(scratch):
    dynamics = "{integrator: verlet, timestep: 1 fs, temperature: 300 K, seed: 3}"
    path = write_input(scratch, "nve", "alanine-dipeptide-tip3p", dynamics=dynamics, stages="[{name: nve, time: 1 ps}]")
    folder, _ = run(path, "--quiet")
    with h5py.File(os.path.join(folder, "energies.h5")) as f:
        columns = {}
        f.visititems(lambda name, item: columns.__setitem__(name.split("/")[-1], item[:]) if isinstance(item, h5py.Dataset) and item.shape else None)
    total, kinetic = columns["conserved_quantity"], columns["kinetic"]
    # The fluctuation of the total at 1 fs is a few percent of that of the kinetic energy; a wrong force would drift by far more.
    assert np.std(total) < 0.1 * np.std(kinetic), (np.std(total), np.std(kinetic))
    assert abs(total[-1] - total[0]) < 0.005 * kinetic[0], (total[0], total[-1])


def implicit_solvent_and_minimisation_run(scratch):
    forces = "{nonbonded: no-cutoff, implicit_solvent: {model: obc2}}"
    stages = "[{name: minimize, minimize: {max_steps: 200, force_tolerance: 100 kJ/mol/nm}}, {name: production, time: 0.2 ps}]"
    folder, _ = run(write_input(scratch, "gb", "alanine-dipeptide-vacuum", forces=forces, stages=stages), "--quiet")
    u = MDAnalysis.Universe(os.path.join(folder, "topology.pdb"), os.path.join(folder, "trajectory.h5md"))
    assert len(u.trajectory) == 6
    with open(os.path.join(folder, "performance.json")) as f:
        assert json.load(f)["stages"][-1]["steps"] == 100


def nothing_is_written_over(scratch):
    path = write_input(scratch, "twice", "alanine-dipeptide-vacuum", forces="{nonbonded: no-cutoff}")
    run(path, "--quiet")
    _, done = run(path, "--quiet", expect=2)
    assert "already holds a run" in done.stderr and "--resume" in done.stderr, done.stderr


def a_run_goes_on_until_it_is_done(scratch):
    """Total lengths: the same command line continues; a longer stage goes on from its end; what would be another simulation is refused."""
    write = lambda name, time, dt="2 fs": write_input(scratch, name, "alanine-dipeptide-tip3p", stages=f"[{{name: first, time: 0.1 ps}}, {{name: last, time: {time}, timestep: {dt}}}]")
    folder, _ = run(write("long", "0.3 ps"), "--quiet", "--resume")  # nothing to go on from: it begins
    path = write("short", "0.1 ps")
    run(path, "--quiet", "--max-time", "0.01 s", expect=3)
    short, done = run(path, "--resume")
    assert "goes on from" in done.stdout, done.stdout
    _, done = run(path, "--resume")
    assert "finished" in done.stdout, done.stdout
    with open(path) as f:
        text = f.read()
    for change, message in ((("timestep: 2 fs}]", "timestep: 1 fs}]"), "dynamics.timestep: 2 fs"), (("timestep: 2 fs}]", "timestep: 0.002ps}]"), None), (("first, ", "another, "), None), (("name: last", "name: end"), "last"),
                            (("tip3p", "vacuum"), "other settings")):
        other = text.replace(*change)
        if change[1] == "vacuum":
            other = text.replace("alanine-dipeptide-tip3p/system", "water-tip3p/system")
            message = "another system"
        with open(path, "w") as f:
            f.write(other)
        _, done = run(path, "--resume", "--quiet", expect=2 if message else 0)
        assert not message or message in done.stderr, done.stderr
    write("short", "0.3 ps")
    run(path, "--resume", "--quiet")
    for a, b in zip(arrays(folder), arrays(short)):
        assert np.array_equal(a, b), "an extended run differs from one of that length"
    info = subprocess.run([UPLIFT, "info", os.path.join(short, "checkpoint.upc")], capture_output=True, text=True).stdout
    assert "last" in info and "2044" in info, info


def a_signal_leaves_a_checkpoint_and_two_jobs_cannot_share_a_run(scratch):
    path = write_input(scratch, "stop", "alanine-dipeptide-tip3p", stages="[{name: production, time: 100 ps}]")
    folder = path[: -len(".yaml")]
    job = subprocess.Popen([UPLIFT, "run", path, "--quiet"])
    while not os.path.exists(os.path.join(folder, "energies.h5")):
        assert job.poll() is None
        time.sleep(0.01)
    _, second = run(path, "--resume", "--quiet", expect=1)
    assert "another job" in second.stderr, second.stderr
    job.terminate()
    assert job.wait() == 3
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        assert len(f["particles/trajectory/position/value"]) > 0
    run(path, "--resume", "--quiet", "--max-time", "0.2s", expect=3)


def a_checkpoint_goes_on_on_another_backend(scratch):
    """From the CPU to the device kernels (on the emulator), and back: not the same bits, but the same simulation."""
    write = lambda name, time: write_input(scratch, name, "alanine-dipeptide-vacuum", forces="{nonbonded: no-cutoff}", stages=f"[{{name: only, time: {time}}}]")
    folder, _ = run(write("whole", "0.12 ps"), "--quiet")
    path = write("moved", "0.04 ps")
    run(path, "--quiet")
    write("moved", "0.08 ps")
    _, done = run(path, "--quiet", "--resume", "--backend", "simt", expect=(0, 2))
    if done.returncode == 2:
        assert "not in this build" in done.stderr, done.stderr
        return
    write("moved", "0.12 ps")
    moved, _ = run(path, "--quiet", "--resume")
    a, b = arrays(folder), arrays(moved)
    assert np.array_equal(a[2], b[2]) and np.abs(a[0] - b[0]).max() < 1e-4, np.abs(a[0] - b[0]).max()


def the_device_has_the_same_bits_whatever_it_reports(scratch):
    """On the emulator: repeated, watched at every step (steps are queued one by one then, and launched as a graph otherwise), and resumed."""
    dynamics = "{integrator: langevin, timestep: 4 fs, temperature: 300 K, seed: 11, pressure: {barostat: monte-carlo, pressure: 1 bar, every: 15}}"
    write = lambda name, time="0.16 ps", energies="0.16 ps": write_input(
        scratch, name, "water-tip3p-small", dynamics=dynamics, forces="{nonbonded: pme, cutoff: 0.8 nm}", energies=energies, stages=f"[{{name: only, time: {time}}}]")
    whole, done = run(write("whole"), "--quiet", "--backend", "simt", expect=(0, 2))
    if done.returncode == 2:
        assert "not in this build" in done.stderr, done.stderr
        return
    again, _ = run(write("again"), "--quiet", "--backend", "simt")
    watched, _ = run(write("watched", energies="4 fs"), "--quiet", "--backend", "simt")
    path = write("resumed", "0.08 ps", "0.08 ps")
    run(path, "--quiet", "--backend", "simt")
    write("resumed", energies="0.08 ps")
    resumed, _ = run(path, "--quiet", "--resume", "--backend", "simt")
    for other in (again, watched, resumed):
        for a, b in zip(arrays(whole), arrays(other)):
            assert np.array_equal(a, b), f"{other} differs by {np.abs(a - b).max()}"

    # Rows of energies: of the same steps the same, whether the device works ahead of those that write or not, and whatever interrupts it.
    table = rows(watched)
    assert np.array_equal(table["step"], np.arange(41)), table["step"]
    late, _ = run(write("late", energies="4 fs"), "--quiet", "--backend", "simt", UPLIFT_SIMT_STREAMS="lazy", UPLIFT_SIMT_SEED="5")
    path = write("stopped", energies="4 fs")
    for parts in range(1, 16):  # longer and longer, for machines that are busy
        stopped, done = run(path, "--quiet", "--backend", "simt", "--max-time", f"{0.3 * 1.4**parts:.2f}s", *(["--resume"] if parts > 1 else []), expect=(0, 3), UPLIFT_SIMT_STREAMS="lazy",
                            UPLIFT_SIMT_SEED=str(parts))
        if done.returncode == 0:
            break
    assert done.returncode == 0 and parts > 1, f"{parts} parts, exit {done.returncode}"
    for folder in (late, stopped):
        for name, column in rows(folder).items():
            assert np.array_equal(column, table[name]), f"{folder}: {name}"
    for name, column in rows(whole).items():
        assert np.array_equal(column, table[name][[0, 40]]), name


def rows_before_an_error_on_the_device_are_written(scratch):
    """A row at every step of a run that blows up, on streams that do nothing until somebody waits: all rows before that step are there, and none after."""
    dynamics = "{integrator: verlet, timestep: 4 fs, temperature: 1 K, seed: 5}"
    write = lambda name: write_input(scratch, name, "alanine-dipeptide-vacuum", dynamics=dynamics, forces="{nonbonded: no-cutoff, constraints: none, rigid_water: false}",
                                     energies="4 fs", stages="[{name: bad, time: 4 ps}]")
    for streams in ("eager", "lazy"):
        folder, done = run(write(streams), "--quiet", "--backend", "simt", expect=(1, 2), UPLIFT_SIMT_STREAMS=streams)
        if done.returncode == 2:
            assert "not in this build" in done.stderr, done.stderr
            return
        table = rows(folder)
        found = int(re.search(r"at step (\d+)", done.stderr).group(1))
        count = len(table["step"])
        assert np.array_equal(table["step"], np.arange(count)) and count > 3, table["step"]
        assert 0 <= found - count < 100, (found, count, done.stderr)  # a look at every 100th step may come first
        for name, column in table.items():
            assert np.all(np.isfinite(column)), name
        # On the CPU the run waits for every row.
        cpu, done = run(write(streams + "-cpu"), "--quiet", expect=1)
        assert abs(len(rows(cpu)["step"]) - count) <= 1, (done.stderr, count)


def a_blow_up_is_diagnosed_and_loses_nothing(scratch):
    dynamics = "{integrator: verlet, timestep: 8 fs, temperature: 300 K, seed: 5}"
    forces = "{nonbonded: pme, cutoff: 0.9 nm, constraints: none, rigid_water: false}"
    path = write_input(scratch, "blow", "alanine-dipeptide-tip3p", dynamics=dynamics, forces=forces, energies="0.08 ps",
                       stages="[{name: good, time: 0.4 ps, timestep: 0.5 fs}, {name: bad, time: 4 ps}]").replace(".yaml", "")
    with open(path + ".yaml") as f:
        text = f.read().replace("trajectory: {every: 0.04 ps", "trajectory: {every: 0.08 ps")
    with open(path + ".yaml", "w") as f:
        f.write(text)
    _, done = run(path + ".yaml", "--quiet", expect=1)
    for words in ("blown up at step", "atom", "most of it from", "shorter time step", "checkpoint"):
        assert words in done.stderr, (words, done.stderr)
    u = MDAnalysis.Universe(os.path.join(path, "topology.pdb"), os.path.join(path, "trajectory.h5md"))
    assert len(u.trajectory) >= 6
    for ts in u.trajectory:
        assert np.all(np.isfinite(ts.positions))
    info = subprocess.run([UPLIFT, "info", os.path.join(path, "checkpoint.upc")], capture_output=True, text=True).stdout
    assert "good" in info and "800" in info, info  # the end of the stage that went well


def twenty_stages_of_ramps_selections_and_restraints(scratch):
    """Every kind of selection, restraints that are released, ramps up and down, ensembles in turn: each stage does what it says."""
    selections = ["protein", "backbone", "protein-heavy", "heavy", "not water", "resid 1-2", "name CA", "name CA CB N", "resname ALA", "protein and not name HA HB1",
                  "(resid 1 or resid 3) and heavy", "not (water or name CA)"]
    stages = ["{name: s0, minimize: {max_steps: 30}}"]
    stages += [f'{{name: hold{k}, time: 0.04 ps, restraints: {{positions: "{s}", k: {4000 / (k + 1):.0f} kJ/mol/nm^2}}}}' for k, s in enumerate(selections)]
    stages += ["{name: up, time: 0.4 ps, friction: 50 /ps, temperature_ramp: {from: 300 K, to: 600 K}}", "{name: down, time: 0.4 ps, friction: 50 /ps, temperature_ramp: {from: 600 K, to: 150 K}}",
               "{name: chain, time: 0.04 ps, integrator: nose-hoover, temperature: 150 K}", "{name: rescale, time: 0.04 ps, integrator: v-rescale, temperature: 150 K}",
               "{name: mc, time: 0.08 ps, temperature: 150 K, pressure: {every: 5}}", "{name: cell, time: 0.08 ps, temperature: 150 K, pressure: {barostat: c-rescale, every: 5, coupling: anisotropic}}",
               "{name: nve, time: 0.04 ps, integrator: verlet}"]
    assert len(stages) == 20
    path = write_input(scratch, "twenty", "alanine-dipeptide-tip3p", stages="[" + ", ".join(stages) + "]")
    folder, _ = run(path, "--quiet")
    with h5py.File(os.path.join(folder, "energies.h5")) as f:
        step, restraint, temperature, volume = (f[k][:] for k in ("step", "restraint", "temperature", "volume"))
    held = (step > 0) & (step <= 240)
    assert np.all(restraint[held] > 0) and np.all(restraint[step > 240] == 0), restraint
    assert len(np.unique(np.round(volume[step <= 680], 9))) == 1 and len(np.unique(volume)) > 4, volume
    assert abs(temperature[step == 440][0] - 600) < 60 and abs(temperature[step == 640][0] - 150) < 30, temperature
    with open(os.path.join(folder, "run.log")) as f:
        log = f.read()
    for stage in stages:
        assert "stage " + stage[7:].split(",")[0] + "\n" in log, stage


def the_log_says_where_velocities_came_from_and_time_went(scratch):
    path = write_input(scratch, "said", "alanine-dipeptide-vacuum", forces="{nonbonded: no-cutoff}", stages="[{name: one, time: 0.02 ps}, {name: two, time: 0.02 ps}]")
    folder, _ = run(path, "--quiet", "--set", "output.checkpoint.every=1 ns")  # after every step
    with open(os.path.join(folder, "run.log")) as f:
        log = f.read()
    assert re.search(r"  uplift \d.*\n.*  built by \S+ .*; HDF5 \d+\.\d+\.\d+; on " + re.escape(os.uname().nodename) + "\n", log), log[:600]
    assert log.count("velocities: drawn at 300 K, seed 11\n") == 1 and log.count("velocities: those of the end of stage one\n") == 1, log
    with open(os.path.join(folder, "performance.json")) as f:
        stages = json.load(f)["stages"]
    for stage in stages:
        phases = stage["phases"]
        assert phases["checkpoints"]["calls"] == 10 and 0 < phases["checkpoints"]["seconds"] < stage["seconds"], stage
        assert sum(p["seconds"] for p in phases.values()) < 1.01 * stage["seconds"], stage
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace(f"{INPUTS}/alanine-dipeptide-vacuum/system.inpcrd", os.path.join(folder, "trajectory.h5md")))
    run(path, "--quiet", "--set", f"output.directory={scratch}/third", "--set", "stages.0.time=0.01 ps")
    with open(os.path.join(scratch, "third", "run.log")) as f:
        log = f.read()
    assert f"velocities: those of {folder}/trajectory.h5md\n" in log, log
    run(path, "--quiet", "--resume", "--set", f"output.directory={scratch}/third", "--set", "stages.0.time=0.01 ps", "--set", "stages.1.time=0.04 ps")
    with open(os.path.join(scratch, "third", "run.log")) as f:
        assert f.read().count("velocities: those of ") == 2


def bad_input_is_named(scratch):
    path = write_input(scratch, "bad", "alanine-dipeptide-vacuum", forces="{nonbonded: no-cutoff, cutof: 0.9 nm}")
    _, done = run(path, expect=2)
    assert "bad.yaml:6" in done.stderr and "cutoff" in done.stderr, done.stderr
    path = write_input(scratch, "large", "alanine-dipeptide-tip3p", forces="{cutoff: 1.5 nm}")
    _, done = run(path, expect=2)
    assert "1.373" in done.stderr, done.stderr
    path = write_input(scratch, "mixed", "alanine-dipeptide-vacuum", forces="{nonbonded: no-cutoff}")
    with open(path) as f:
        text = f.read().replace("vacuum/system.inpcrd", "tip3p/system.inpcrd.gz")
    with open(path, "w") as f:
        f.write(text)
    _, done = run(path, expect=2)
    assert "22" in done.stderr and "2044" in done.stderr, done.stderr


if __name__ == "__main__":
    run_all(a_run_begins_with_the_last_frame_of_another, same_bits_for_any_number_of_threads, mdanalysis_reads_the_trajectory, energies_are_a_table,
            verlet_conserves_energy, implicit_solvent_and_minimisation_run, nothing_is_written_over,
            a_run_goes_on_until_it_is_done, a_signal_leaves_a_checkpoint_and_two_jobs_cannot_share_a_run,
            a_checkpoint_goes_on_on_another_backend, the_device_has_the_same_bits_whatever_it_reports,
            rows_before_an_error_on_the_device_are_written,
            a_blow_up_is_diagnosed_and_loses_nothing, twenty_stages_of_ramps_selections_and_restraints, the_log_says_where_velocities_came_from_and_time_went, bad_input_is_named)
