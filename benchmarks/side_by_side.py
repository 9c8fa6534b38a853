#!/usr/bin/python3
"""uplift beside OpenMM's CPU platform and GROMACS: same system, same machine, one run, engines alternating. Writes JSON.

  side_by_side.py UPLIFT [--system FOLDER ...] [--engines uplift openmm gromacs] [--threads 2] [--seconds 20] [--repeats 3]
                  [--timestep 2] [--json FILE]

FOLDER holds system.prmtop[.gz] and system.inpcrd[.gz]; default: the project's own inputs. A periodic system runs with PME, 0.9 nm;
any other with OBC2 (GROMACS is left out: it has no implicit solvent). Needs (Debian): python3-simtk, libopenmm-plugins,
python3-parmed, gromacs. OpenMM's PME plugin for the CPU is not in Debian: --openmm-plugin FILE loads one.

Each engine runs as it is normally used: Langevin middle and alpha from a tolerance of 5e-4 (uplift, OpenMM), v-rescale and
ewald-rtol 1e-5 (GROMACS); bonds to hydrogen constrained, rigid water, no barostat, no trajectory. The figure is ns/day, the median of
the repeats; only their ratios mean anything elsewhere.
"""
import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

from openmm_peer import make_water_rigid
from system_files import revision, unzipped

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
INPUTS = os.path.normpath(os.path.join(HERE, "..", "inputs"))
PLUGINS = "/usr/lib/x86_64-linux-gnu/openmm/plugins"


class Uplift:
    def __init__(self, options, case):
        self.options, self.case = options, case
        self.version = subprocess.run([options.uplift, "--version"], capture_output=True, text=True).stdout.strip()

    def run(self, steps):
        o, c = self.options, self.case
        out = os.path.join(c["scratch"], "uplift-run")
        shutil.rmtree(out, ignore_errors=True)
        forces = "nonbonded: pme\n  cutoff: 0.9 nm\n  pme: {tolerance: 5e-4}" if c["periodic"] else \
            "nonbonded: no-cutoff\n  implicit_solvent: {model: obc2, surface: none}"
        text = f"""version: 1
system: {{topology: {c['prmtop']}, coordinates: {c['inpcrd']}}}
forces:
  {forces}
  constraints: h-bonds
  rigid_water: true
dynamics: {{integrator: langevin, timestep: {o.timestep} fs, temperature: 300 K, friction: 1 /ps, seed: 1}}
stages:
  - {{name: timing, time: {steps * o.timestep / 1000:.6g} ps}}
output: {{directory: {out}, trajectory: {{every: 0 ps}}, energies: {{every: {100 * o.timestep / 1000:.6g} ps}}, report: false}}
compute: {{backend: cpu, threads: {o.threads}}}
"""
        with open(os.path.join(c["scratch"], "uplift.yaml"), "w") as f:
            f.write(text)
        subprocess.run([o.uplift, "run", f.name, "--quiet"], check=True)
        with open(os.path.join(out, "performance.json")) as f:
            stage = json.load(f)["stages"][-1]
        return stage["ns_per_day"], stage


class OpenMM:
    def __init__(self, options, case):
        import openmm as mm
        from openmm import app, unit as u
        self.options = options
        mm.Platform.loadPluginsFromDirectory(PLUGINS)
        if options.openmm_plugin:
            mm.Platform.loadPluginLibrary(options.openmm_plugin)
        self.version = mm.version.version
        prmtop, inpcrd = app.AmberPrmtopFile(case["prmtop"]), app.AmberInpcrdFile(case["inpcrd"])
        how = dict(nonbondedMethod=app.PME, nonbondedCutoff=0.9 * u.nanometer, ewaldErrorTolerance=5e-4) if case["periodic"] else \
            dict(nonbondedMethod=app.NoCutoff, implicitSolvent=app.OBC2, gbsaModel=None)
        system = prmtop.createSystem(constraints=app.HBonds, rigidWater=True, removeCMMotion=False, **how)
        if case["periodic"]:
            make_water_rigid(system, prmtop.topology)
            system.setDefaultPeriodicBoxVectors(*inpcrd.boxVectors)
        self.integrator = mm.LangevinMiddleIntegrator(300 * u.kelvin, 1 / u.picosecond, options.timestep * u.femtosecond)
        chosen = mm.Platform.getPlatformByName("CPU")
        self.context = mm.Context(system, self.integrator, chosen, {"Threads": str(options.threads)})
        self.context.setPositions(inpcrd.positions)
        mm.LocalEnergyMinimizer.minimize(self.context, 10, 20)
        self.context.setVelocitiesToTemperature(300 * u.kelvin, 1)
        self.note = {"pme": "plugin" if chosen.supportsKernels(["CalcPmeReciprocalForce"]) else "reference code (as Debian ships it)"}

    def run(self, steps):
        start = time.perf_counter()
        self.integrator.step(steps)
        self.context.getState(getEnergy=True)
        wall = time.perf_counter() - start
        return steps * self.options.timestep * 1e-6 / wall * 86400, self.note


class Gromacs:
    MDP = """integrator = md
dt = {dt}
nsteps = -1
cutoff-scheme = Verlet
nstlist = 20
coulombtype = PME
rcoulomb = 0.9
rvdw = 0.9
fourierspacing = 0.1
DispCorr = EnerPres
constraints = h-bonds
tcoupl = v-rescale
tc-grps = System
tau-t = 1
ref-t = 300
gen-vel = yes
gen-seed = 1
nstcalcenergy = 100
nstenergy = 1000
nstlog = 100000
nstxout = 0
"""

    def __init__(self, options, case):
        import parmed
        self.options, self.scratch = options, case["scratch"]
        structure = parmed.load_file(case["prmtop"], case["inpcrd"])
        structure.save(os.path.join(self.scratch, "g.top"), overwrite=True)
        structure.save(os.path.join(self.scratch, "g.gro"), overwrite=True)
        with open(os.path.join(self.scratch, "g.mdp"), "w") as f:
            f.write(self.MDP.format(dt=options.timestep / 1000))
        self.gmx("grompp", "-f", "g.mdp", "-c", "g.gro", "-p", "g.top", "-o", "g.tpr", "-maxwarn", "10")
        text = self.gmx("--version")
        self.version = re.search(r"GROMACS version:\s*(\S+)", text).group(1)
        self.note = {"simd": re.search(r"SIMD instructions:\s*(\S+)", text).group(1)}

    def gmx(self, *arguments):
        done = subprocess.run(["gmx", *arguments], cwd=self.scratch, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit("gmx " + " ".join(arguments) + " failed:\n" + done.stderr[-2000:])
        return done.stdout + done.stderr

    def run(self, steps):
        for old in ("m.log", "m.edr", "m.gro", "m.cpt"):
            if os.path.exists(os.path.join(self.scratch, old)):
                os.remove(os.path.join(self.scratch, old))
        self.gmx("mdrun", "-s", "g.tpr", "-deffnm", "m", "-nsteps", str(steps), "-ntmpi", "1", "-ntomp", str(self.options.threads),
                 "-pin", "on", "-resethway", "-noconfout")
        with open(os.path.join(self.scratch, "m.log")) as f:
            text = f.read()
        rows = {m.group(1).strip(): float(m.group(2)) for m in
                re.finditer(r"^ (\S[A-Za-z0-9 .,/+-]*?)\s+1\s+\d+\s+\d+\s+([\d.]+)\s+[\d.]+\s+[\d.]+$", text, re.M)}
        return float(re.search(r"Performance:\s+([\d.]+)", text).group(1)), {**self.note, "seconds_per_phase": rows}


ENGINES = {"uplift": Uplift, "openmm": OpenMM, "gromacs": Gromacs}


def measure(folder, options):
    with tempfile.TemporaryDirectory() as scratch:
        case = {"scratch": scratch, "prmtop": unzipped(folder, "system.prmtop", scratch),
                "inpcrd": unzipped(folder, "system.inpcrd", scratch)}
        with open(case["prmtop"]) as f:
            case["periodic"] = "%FLAG BOX_DIMENSIONS" in f.read()
        engines, steps, results = {}, {}, {}
        for name in options.engines:
            if name == "gromacs" and not case["periodic"]:
                continue
            engines[name] = ENGINES[name](options, case)
            trial = 200
            while True:  # long enough that start-up does not spoil the estimate
                start = time.perf_counter()
                rate, _ = engines[name].run(trial)
                if time.perf_counter() - start > 2 or trial > 10**6:
                    break
                trial *= 4
            steps[name] = max(100, int(rate / 86400 * options.seconds / (options.timestep * 1e-6)) // 100 * 100)
            results[name] = {"version": engines[name].version, "steps": steps[name], "ns_per_day": []}
        for _ in range(options.repeats):
            for name, engine in engines.items():
                rate, detail = engine.run(steps[name])
                results[name]["ns_per_day"].append(round(rate, 3))
                results[name]["detail"] = detail
                print(f"  {name:8} {rate:9.2f} ns/day", flush=True)
    for r in results.values():
        r["median_ns_per_day"] = statistics.median(r["ns_per_day"])
    base = results.get("uplift", {}).get("median_ns_per_day")
    ratios = {f"uplift/{n}": round(base / r["median_ns_per_day"], 3) for n, r in results.items() if base and n != "uplift"}
    return {"system": os.path.basename(os.path.normpath(folder)), "periodic": case["periodic"], "engines": results, "ratios": ratios}


def processor():
    with open("/proc/cpuinfo") as f:
        text = f.read()
    field = lambda key: re.search(key + r"\s*: (.*)", text).group(1)
    return f"{field('model name')} (family {field('cpu family')} model {field('model')})"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--system", nargs="*")
    p.add_argument("--engines", nargs="*", choices=list(ENGINES), default=list(ENGINES))
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seconds", type=float, default=20)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--timestep", type=float, default=2, help="fs")
    p.add_argument("--openmm-plugin")
    p.add_argument("--json")
    o = p.parse_args()
    folders = o.system or [os.path.join(INPUTS, n) for n in ("alanine-dipeptide-tip3p", "water-tip3p", "sdf1-tip3p", "sdf1-implicit")]
    record = {"machine": {"processor": processor(), "cores": os.cpu_count(), "os": platform.platform()},
              "command": "benchmarks/side_by_side.py " + " ".join(["UPLIFT", *(os.path.basename(os.path.normpath(a)) for a in sys.argv[2:])]),
              "uplift_revision": revision(), "date": time.strftime("%Y-%m-%d"), "threads": o.threads, "timestep_fs": o.timestep, "systems": []}
    for folder in folders:
        print(os.path.basename(os.path.normpath(folder)), flush=True)
        record["systems"].append(measure(folder, o))
        print("  ratios:", record["systems"][-1]["ratios"], flush=True)
    if o.json:
        with open(o.json, "w") as f:
            json.dump(record, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
