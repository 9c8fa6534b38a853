#!/usr/bin/env python3
"""uplift beside OpenMM on one GPU: same system, same forces, one run, engines alternating. Writes JSON.

  gpu_side_by_side.py UPLIFT [--systems NAME|FOLDER ...] [--folder DIR] [--backend cuda|cpu] [--seconds 8] [--repeats 5]
                      [--timestep 4] [--tolerance 5e-4] [--engines NAME ...] [--budget SECONDS] [--json FILE]

Systems: a FOLDER with system.prmtop[.gz] and system.inpcrd[.gz]; a NAME in DIR (default: benchmarks/systems, not part of the project) or in
inputs/; or water-N, copies of the project's small water box ("water-24k", "water-1M"). Default: dhfr, apoa1, water-1M, water-24k,
water-100k, those that are there.

Everybody runs 4 fs (--timestep) with hydrogens of 3.024 Da (rigid water as it is), bonds to hydrogen constrained, cutoff 0.9 nm, Langevin middle at 300 K
and 1/ps, no barostat, no output. PME is of equal accuracy: alpha and a grid of factors 2, 3, 5 and one 7 follow from the tolerance by the same
formula and are given to both, splines are of order 5 in both. The rms force error of each against uplift on the CPU in double precision, with a
mesh that leaves 1e-6 (--reference openmm: against OpenMM's Reference platform), stands beside the speed.
The engines: uplift (mixed), uplift-mts (the same with the PME mesh every second step), openmm-mixed and openmm-single.
--engines: these alone.

Figures are medians; what is claimed are ratios from one run: of the medians, with the lowest and the highest of a repetition.
--backend cpu with OpenMM's CPU platform is a dry run of this script. Needs Python with openmm (and its CUDA platform) and numpy, h5py for the
force errors; what is missing is left out and said so. --budget: a time for all, in which every system gets its share.
"""
import argparse
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings

from openmm_peer import CUTOFF, FRICTION, HYDROGEN_MASS, TEMPERATURE, OpenMM, openmm_system
from system_files import revision, unzipped

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
INPUTS = os.path.normpath(os.path.join(HERE, "..", "inputs"))
SMALL_WATER = "water-tip3p-small"

# The least time a step can take on one H200, by the project's design estimate, not by any measurement [microseconds]: 2.4 pair slots per
# pair in range at 45 instructions each, on 33.5e12 lanes a second; beside it the bytes of the PME mesh through cache and memory; all
# overlapped, launched as one graph. For 23,558 (DHFR), 92,224 (ApoA1) and 1,067,095 atoms (STMV) in water at 9 angstrom.
FLOOR = ((23558, 30.0), (92224, 100.0), (1067095, 1100.0))


def floor_microseconds(atoms):
    """Between the rows of FLOOR, and beyond, a power of the number of atoms."""
    k = 0 if atoms < FLOOR[1][0] else 1
    (n0, t0), (n1, t1) = FLOOR[k], FLOOR[k + 1]
    return t0 * (atoms / n0) ** (math.log(t1 / t0) / math.log(n1 / n0))


ENGINES = ("uplift", "uplift-mts", "openmm-mixed", "openmm-single")

# --- systems ---------------------------------------------------------------------------------------------------------------------


def find(name, options):
    """Folder of a system, that of the small water box for water-N; None when it is not there."""
    for folder in (name, os.path.join(options.folder, name), os.path.join(INPUTS, name)):
        if any(os.path.exists(os.path.join(folder, "system.prmtop" + s)) for s in ("", ".gz")):
            return folder
    return os.path.join(INPUTS, SMALL_WATER) if re.fullmatch(r"water-[0-9.]+[kM]?", name) else None


def is_copied_water(name, folder):
    return os.path.basename(folder) == SMALL_WATER and name != SMALL_WATER


def copies_of_water(name, atoms):
    """Counts that differ by one at most and bring the small box nearest to what the name says, as `uplift benchmark` has it."""
    number, unit = re.fullmatch(r"water-([0-9.]+)([kM]?)", name).groups()
    wanted = float(number) * {"": 1, "k": 1e3, "M": 1e6}[unit]
    n = max(1, int((wanted / atoms) ** (1 / 3)))
    return min(([n, n, n], [n, n, n + 1], [n, n + 1, n + 1], [n + 1] * 3), key=lambda c: abs(math.log(math.prod(c) * atoms / wanted)))


def run(command, limit=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    if done.returncode:
        raise RuntimeError(f"{os.path.basename(command[0])} {command[1]} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


class Case:
    def __init__(self, name, folder, options, scratch):
        self.name, self.options, self.scratch = name, options, scratch
        self.prmtop, self.inpcrd = (unzipped(folder, "system." + kind, scratch) for kind in ("prmtop", "inpcrd"))
        self.copies = [1, 1, 1]
        if is_copied_water(name, folder):
            with open(self.inpcrd) as f:
                self.copies = copies_of_water(name, int(f.readlines()[1].split()[0]))
        self.pme = None
        chosen = self.energy("choose", "mixed", backend="cpu")
        self.atoms = chosen["atoms"]
        self.pme = {"alpha": float(f"{chosen['pme']['alpha']:.6g}"), "grid": [smooth(n) for n in chosen["pme"]["grid"]], "order": 5}

    def yaml(self, file, levels=False, pme=None):
        """Input of uplift. The mesh: `pme`, or that of the case, or (while there is none) from the tolerance."""
        pme = pme or self.pme
        mesh = f"{{alpha: {pme['alpha']} /nm, grid: {pme['grid']}, order: {pme['order']}}}" if pme else f"{{tolerance: {self.options.tolerance}}}"
        text = f"""version: 1
system: {{topology: {self.prmtop}, coordinates: {self.inpcrd}, copies: {self.copies}}}
forces: {{nonbonded: pme, cutoff: {CUTOFF} nm, pme: {mesh}, constraints: h-bonds, rigid_water: true, hydrogen_mass: {HYDROGEN_MASS} amu}}
dynamics:
  integrator: langevin
  timestep: {self.options.timestep * (2 if levels else 1)} fs
  temperature: {TEMPERATURE} K
  friction: {FRICTION} /ps
  seed: 1
"""
        if levels:
            text += """  multiple_time_step:
    - {forces: [pme-reciprocal], every: 2}
    - {forces: [bonded, nonbonded], every: 1}
"""
        path = os.path.join(self.scratch, file + ".yaml")
        with open(path, "w") as f:
            f.write(text)
        return path

    def energy(self, file, precision, backend, forces=None, pme=None):
        path = self.yaml(file, pme=pme)
        out = os.path.join(self.scratch, file + ".json")
        command = [self.options.uplift, "energy", path, "--json", out, "--backend", backend, "--precision", precision]
        run(command + (["--forces", forces] if forces else []))
        with open(out) as f:
            return json.load(f)


def smooth(n):
    """The next size that every FFT library does well: factors 2, 3 and 5, and one 7, but for 75."""
    while True:
        rest = n
        for p in (2, 3, 5):
            while rest % p == 0:
                rest //= p
        if rest in (1, 7) and n != 75:
            return n
        n += 1


# --- engines ---------------------------------------------------------------------------------------------------------------------


class Uplift:
    def __init__(self, case, levels=False):
        self.case, self.levels, self.options = case, levels, case.options
        self.file = case.yaml("levels" if levels else "plain", levels)
        self.version = f"{run([self.options.uplift, '--version']).strip()} ({revision()})"
        self.pme = case.pme

    def measure(self, seconds):
        out = os.path.join(self.case.scratch, "measured.json")
        command = [self.options.uplift, "benchmark", self.file, "--backend", self.options.backend, "--seconds", str(seconds), "--json", out]
        run(command + (["--threads", str(self.options.threads)] if self.options.threads else []), self.options.limit)
        with open(out) as f:
            (got,) = json.load(f)["systems"]
        steps = 2 if self.levels else 1  # of --timestep
        return got["ns_per_day"], {"device": got["device"], "temperature": got["temperature"], "setup_seconds": got["setup_seconds"],
                                   "us_per_phase": {p["name"]: round(p["us_per_step"] / steps, 3) for p in got["phases"]},
                                   "calls_per_step": {p["name"]: round(p["calls"] / (len(got["ns_per_day_windows"]) * got["steps_per_window"] * steps), 3) for p in got["phases"]}}

    def forces(self):
        import h5py
        if self.levels:
            return None  # the same forces
        file = os.path.join(self.case.scratch, "uplift.h5")
        self.case.energy("forces", "mixed", self.options.backend, forces=file)
        with h5py.File(file) as f:
            return f["forces"][:]


# --- what is measured --------------------------------------------------------------------------------------------------------------


def reference_forces(case):
    """By uplift on the CPU in double precision, with a converged mesh; or by OpenMM's Reference platform."""
    import h5py
    tight = {"alpha": 4.6, "grid": [smooth(math.ceil(2.5 * n)) for n in case.pme["grid"]], "order": 6}
    if case.options.reference == "openmm":
        import openmm as mm
        from openmm import unit as u
        system, x = openmm_system(case)
        (nonbonded,) = (f for f in system.getForces() if isinstance(f, mm.NonbondedForce))
        nonbonded.setPMEParameters(tight["alpha"], *(smooth(2 * n) for n in tight["grid"]))  # order 5 needs more than order 6
        context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
        context.setPositions(x)
        return context.getState(getForces=True).getForces(asNumpy=True).value_in_unit(u.kilojoule_per_mole / u.nanometer)
    file = os.path.join(case.scratch, "reference.h5")
    case.energy("reference", "double", "cpu", forces=file, pme=tight)
    with h5py.File(file) as f:
        return f["forces"][:]


def force_errors(case, engines, results, notes):
    """rms of the difference over rms of the reference, of every engine that computes its own forces."""
    import numpy as np
    reference = reference_forces(case)
    norm = math.sqrt(float(np.mean(reference**2)))
    for name, engine in list(engines.items()):
        try:
            forces = engine.forces()
        except Exception as e:
            drop(name, engines, notes, e)
            continue
        if forces is not None:
            results[name]["force_error"] = float(f"{math.sqrt(float(np.mean((np.asarray(forces) - reference) ** 2))) / norm:.3g}")
            print(f"  {name:14} force error {results[name]['force_error']:.2e} of the rms force", flush=True)


def drop(name, engines, notes, error):
    """The others go on without an engine that failed."""
    notes.append(f"{name}: {error!r}"[:1000])
    print(f"  {name} failed and is left out: {error!r}", flush=True)
    del engines[name]


def make_engines(case, notes):
    wanted = case.options.engines
    engines = {name: Uplift(case, levels=name != "uplift") for name in wanted if name.startswith("uplift")}
    peers = [name for name in wanted if name.startswith("openmm")]
    if not peers:
        return engines
    try:
        built = openmm_system(case)
        for precision in [name[len("openmm-"):] for name in peers] if case.options.backend == "cuda" else ("cpu",):
            engines["openmm-" + precision] = OpenMM(case, precision, built)
    except Exception as e:  # without the peer there is still something to measure
        notes.append(f"OpenMM: {e!r}")
        print("  OpenMM is left out:", repr(e), flush=True)
    return engines


def repetitions(engines, results, notes, options, deadline):
    """Engines in turn, the order reversed every other time, so that a machine that warms up favours none."""
    for repeat in range(options.repeats):
        began = time.time()
        for name in list(engines)[:: -1 if repeat % 2 else 1]:
            sample = {}
            timer = threading.Timer(options.seconds / 2, lambda: sample.update(gpu_clocks()))
            timer.start()
            try:
                rate, detail = engines[name].measure(options.seconds)
            except Exception as e:
                drop(name, engines, notes, e)
                continue
            finally:
                timer.cancel()
                timer.join()
            results[name]["ns_per_day"].append(round(rate, 4))
            results[name]["clocks"].append(sample)
            results[name].update(detail)
            print(f"  {name:14} {rate:10.2f} ns/day", flush=True)
        if deadline and time.time() + (time.time() - began) > deadline:
            return


def ratio(results, a, b):
    each = [x / y for x, y in zip(results[a]["ns_per_day"], results[b]["ns_per_day"])]
    return {"of_medians": round(results[a]["median_ns_per_day"] / results[b]["median_ns_per_day"], 3), "low": round(min(each), 3), "high": round(max(each), 3)}


def measure(name, folder, options, deadline):
    with tempfile.TemporaryDirectory() as scratch:
        case, notes = Case(name, folder, options, scratch), []
        print(f"{name}: {case.atoms} atoms, alpha {case.pme['alpha']} /nm, grid {case.pme['grid']}", flush=True)
        engines = make_engines(case, notes)
        results = {n: {"version": e.version, "pme": e.pme, "ns_per_day": [], "clocks": []} for n, e in engines.items()}
        if case.atoms > options.reference_atoms:
            notes.append(f"force errors are not measured above {options.reference_atoms} atoms; the mesh has the same spacing as in smaller systems")
        else:
            try:
                force_errors(case, engines, results, notes)
            except ImportError as e:
                notes.append(f"no force errors: {e}")
        repetitions(engines, results, notes, options, deadline)
    results = {name: r for name, r in results.items() if r["ns_per_day"]}
    if not results:
        raise RuntimeError("; ".join(notes))
    on_h200 = "H200" in (gpu_query("name") or [""])[0]
    for r in results.values():
        r["median_ns_per_day"] = statistics.median(r["ns_per_day"])
        r["us_per_step"] = round(options.timestep * 1e-6 * 86400 / r["median_ns_per_day"] * 1e6, 3)
        r["share_of_floor"] = round(floor_microseconds(case.atoms) / r["us_per_step"], 4) if on_h200 else None
    pairs = [("uplift", n) for n in results if n.startswith("openmm")] + [("uplift-mts", "uplift")]
    pairs += [("uplift-mts", n) for n in results if n.startswith("openmm")]
    return {"system": name, "atoms": case.atoms, "copies": case.copies, "tolerance": options.tolerance, "engines": results,
            "ratios": {f"{a}/{b}": ratio(results, a, b) for a, b in pairs if a in results and b in results}, "notes": notes}


# --- the machine -------------------------------------------------------------------------------------------------------------------


def gpu_query(fields):
    """Values of nvidia-smi for the first GPU, or nothing."""
    try:
        done = subprocess.run(["nvidia-smi", "--query-gpu=" + fields, "--format=csv,noheader,nounits", "-i", "0"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return [v.strip() for v in done.stdout.strip().split(",")] if done.returncode == 0 else None


def gpu_clocks():
    names = ("clocks.sm", "clocks.mem", "power.draw", "temperature.gpu")
    values = gpu_query(",".join(names))
    return dict(zip(names, values)) if values else {}


def machine():
    with open("/proc/cpuinfo") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    record = {"processor": model.group(1) if model else platform.machine(), "cores": os.cpu_count(), "os": platform.platform(), "gpu": None}
    names = ("name", "driver_version", "compute_cap", "memory.total", "clocks.max.sm", "clocks.max.mem", "clocks.applications.graphics", "power.limit")
    present = {n: v[0] for n in names if (v := gpu_query(n))}  # a field that a driver does not know fails alone
    if present:
        record["gpu"] = present
    return record


def table(record):
    lines = [f"{'system':16}{'atoms':>9}  {'engine':14}{'ns/day':>11}{'us/step':>11}{'of floor':>9}{'force error':>13}  ratio to it of uplift (low-high)"]
    for s in record["systems"]:
        if "error" in s:
            lines.append(f"{s['system']:16}failed: {s['error']}")
            continue
        for name, r in s["engines"].items():
            q = s["ratios"].get(f"uplift/{name}") or (s["ratios"].get("uplift-mts/uplift") if name == "uplift-mts" else None)
            beside = f"{q['of_medians']:.2f} ({q['low']:.2f}-{q['high']:.2f})" + (" over uplift" if name == "uplift-mts" else "") if q else ""
            share = f"{100 * r['share_of_floor']:.0f} %" if r["share_of_floor"] else "-"
            error = f"{r['force_error']:.1e}" if "force_error" in r else "-"
            lines.append(f"{s['system']:16}{s['atoms']:>9}  {name:14}{r['median_ns_per_day']:>11.4g}{r['us_per_step']:>11.5g}{share:>9}{error:>13}  {beside}")
    return "\n".join(lines)


def save(record, path):
    if path:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w") as f:
            json.dump(record, f, indent=1)
            f.write("\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--systems", nargs="+")
    p.add_argument("--folder", default=os.path.join(HERE, "systems"))
    p.add_argument("--backend", choices=("cuda", "cpu"), default="cuda")
    p.add_argument("--threads", type=int, default=0, help="of both engines on the CPU")
    p.add_argument("--seconds", type=float, default=8, help="of one measurement")
    p.add_argument("--repeats", type=int, default=5)
    p.add_argument("--timestep", type=float, default=4, help="fs")
    p.add_argument("--tolerance", type=float, default=5e-4)
    p.add_argument("--engines", nargs="+", default=ENGINES, choices=ENGINES)
    p.add_argument("--budget", type=float, help="seconds for all")
    p.add_argument("--limit", type=float, default=150, help="seconds that one measurement of uplift may take with its start")
    p.add_argument("--reference", choices=("uplift", "openmm"), default="uplift")
    p.add_argument("--reference-atoms", type=int, default=200000, help="largest system whose force errors are measured")
    p.add_argument("--openmm-plugins", help="folder of OpenMM's plugins, where OpenMM does not know it")
    p.add_argument("--json")
    o = p.parse_args()
    names = o.systems or ["dhfr", "apoa1", "water-1M", "water-24k", "water-100k"]
    folders = {n: find(n, o) for n in names}
    for missing in (n for n in names if not folders[n]):
        if o.systems:
            raise SystemExit(f"there is no system {missing}: neither a folder with system.prmtop, nor in {o.folder}, nor in inputs/")
        print(f"{missing}: not in {o.folder}, left out", flush=True)
    names = [n for n in names if folders[n]]
    shown = [os.path.basename(os.path.normpath(a)) if os.path.exists(a) or "/" in a else a for a in sys.argv[2:]]
    record = {"machine": machine(), "command": " ".join(["benchmarks/gpu_side_by_side.py", "UPLIFT", *shown]), "uplift_revision": revision(),
              "date": time.strftime("%Y-%m-%d"), "backend": o.backend, "timestep_fs": o.timestep, "cutoff_nm": CUTOFF, "hydrogen_mass_da": HYDROGEN_MASS,
              "floor": {"what": "design estimate for one H200, microseconds a step", "table": FLOOR}, "systems": []}
    end = time.time() + o.budget if o.budget else None
    failed = False
    for k, name in enumerate(names):
        deadline = time.time() + (end - time.time()) / (len(names) - k) if end else None
        if end and end - time.time() < 10 + 8 * o.seconds:
            record["systems"].append({"system": name, "error": "no time was left in the budget"})
            continue
        try:
            record["systems"].append(measure(os.path.basename(os.path.normpath(name)), folders[name], o, deadline))
            failed = failed or "uplift" not in record["systems"][-1]["engines"]
        except Exception as e:
            failed = True
            traceback.print_exc()
            record["systems"].append({"system": name, "error": repr(e)[:1000]})
        save(record, o.json)
    save(record, o.json)
    print("\n" + table(record), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
