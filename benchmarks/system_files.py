"""What benchmarks share: files of systems, and what a result says of where it comes from."""
import gzip
import json
import os
import platform
import shutil
import subprocess
import sys
import time


def unzipped(folder, name, scratch):
    """A copy of FOLDER/NAME or FOLDER/NAME.gz, for engines that read no gzip."""
    path, out = existing(folder, name), os.path.join(scratch, name)
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f, open(out, "wb") as g:
        shutil.copyfileobj(f, g)
    return out


def existing(folder, name):
    """The whole path of FOLDER/NAME or FOLDER/NAME.gz."""
    for suffix in ("", ".gz"):
        if os.path.exists(os.path.join(folder, name + suffix)):
            return os.path.join(os.path.abspath(folder), name + suffix)
    sys.exit(f"{folder}: no {name} or {name}.gz")


def add_run_options(parser):
    """What timed_run() goes by, and where results go."""
    parser.add_argument("uplift", type=os.path.abspath)
    parser.add_argument("--system", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "inputs", "sdf1-tip3p"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--precision", default="mixed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json")


def timed_run(o, folder, name, stages, frames="0 ps", rows="0 ps"):
    """Seconds that the last of `stages` took, by the run's own table, without start-up: dynamics at 2 fs with PME, by the options of add_run_options()."""
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: "{existing(o.system, 'system.prmtop')}", coordinates: "{existing(o.system, 'system.inpcrd')}"}}
forces: {{nonbonded: pme, cutoff: 0.9 nm}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 1 /ps, seed: 1}}
stages: [{", ".join(stages)}]
output: {{trajectory: {{every: {frames}}}, energies: {{every: {rows}}}, report: false}}
compute: {{backend: {o.backend}, precision: {o.precision}, threads: {o.threads}}}
""")
    subprocess.run([o.uplift, "run", path, "--quiet"], check=True)
    with open(os.path.join(path[: -len(".yaml")], "performance.json")) as f:
        return json.load(f)["stages"][-1]["seconds"]


def revision():
    """Of this checkout; UPLIFT_REVISION where it is a copy without its history."""
    if os.environ.get("UPLIFT_REVISION"):
        return os.environ["UPLIFT_REVISION"]
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=os.path.dirname(os.path.abspath(__file__)), capture_output=True, text=True)
        return done.stdout.strip() or "unknown"
    except FileNotFoundError:  # no git here
        return "unknown"


def provenance(uplift):
    """Command, machine, date and version. Paths of the command line are named by their last part."""
    script = os.path.relpath(os.path.abspath(sys.argv[0]), os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    return {"command": " ".join([script, "UPLIFT", *(os.path.basename(os.path.normpath(a)) for a in sys.argv[2:])]),
            "machine": {"cores": os.cpu_count(), "os": platform.platform()}, "date": time.strftime("%Y-%m-%d"),
            "uplift": subprocess.run([uplift, "--version"], capture_output=True, text=True).stdout.strip()}


def append_record(path, record):
    """To a JSON list of results."""
    records = []
    if os.path.exists(path):
        with open(path) as f:
            records = json.load(f)
    with open(path, "w") as f:
        json.dump(records + [record], f, indent=1)
        f.write("\n")
