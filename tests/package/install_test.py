#!/usr/bin/python3
"""Installs the build as users get it: as files, as a library for their own program, and as Debian packages.

  install_test.py BUILD_FOLDER      exit status 77 (skip) when cmake or the packaging tools are missing
"""
import glob
import os
import re
import shutil
import subprocess
import sys

from checks import run_all

BUILD = os.path.abspath(sys.argv[-1])
if not shutil.which("cmake"):
    print("skipped: no cmake")
    sys.exit(77)

DIPEPTIDE = """version: 1
system: {{topology: {inputs}/alanine-dipeptide-vacuum/system.prmtop, coordinates: {inputs}/alanine-dipeptide-vacuum/system.inpcrd}}
forces: {{nonbonded: no-cutoff}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 1 /ps, seed: 2026}}
stages: [{{name: production, time: 0.2 ps}}]
output: {{trajectory: {{every: 0 ps}}, energies: {{every: 0.2 ps}}, report: false}}
"""


def command(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def elsewhere():
    """An environment that cannot lead back to the build."""
    return {k: v for k, v in os.environ.items() if k != "UPLIFT_SHARE"}


def energy_of(program, inputs, folder):
    path = os.path.join(folder, "in.yaml")
    with open(path, "w") as f:
        f.write(DIPEPTIDE.format(inputs=inputs))
    said = command(program, "energy", path, cwd=folder, env=elsewhere())
    return float(re.search(r"potential\s+(-?[\d.]+)", said)[1])


def installed_files_do_without_the_source(scratch):
    prefix = os.path.join(scratch, "prefix")
    command("cmake", "--install", BUILD, "--prefix", prefix)
    program = os.path.join(prefix, "bin", "uplift")
    assert re.fullmatch(r"uplift \d+\.\d+\.\d+\n", command(program, "--version"))
    share = os.path.join(prefix, "share", "uplift")
    for folder in ("forcefields", "inputs", "examples", "docs"):
        assert os.listdir(os.path.join(share, folder)), folder
    with open(os.path.join(prefix, "share", "man", "man1", "uplift.1")) as f:
        manual = f.read()
    for name in ("run", "validate", "energy", "reweight", "convert", "report", "info", "benchmark", "slurm", "schema"):
        assert re.search(rf"^\.SS uplift {name}( [A-Z]+( \.\.\.)?)* \[OPTIONS\]$", manual, re.M), name
    assert "\\fB\\-\\-max\\-time\\fR \\fITEXT\\fR\n" in manual and "\\fB\\-\\-cv\\fR \\fITEXT ...\\fR\n" in manual and "\\fB\\-\\-quiet\\fR\n" in manual
    assert "\\-\\-max\\-time" in manual and "man\\-page" not in manual, manual[:2000]
    if shutil.which("groff"):
        done = subprocess.run(["groff", "-man", "-Tascii", "-ww"], input=manual, capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr
    assert abs(energy_of(program, os.path.join(share, "inputs"), scratch)) < 1000
    # The systems of `uplift benchmark` are found beside the program, or where UPLIFT_SHARE says and nowhere else.
    moved = os.path.join(scratch, "moved")
    shutil.move(share, moved)
    small = ("benchmark", "water-tip3p-small", "--seconds", "0.01")
    lost = subprocess.run([program, *small], capture_output=True, text=True, env={**elsewhere(), "UPLIFT_SHARE": os.path.join(scratch, "nowhere")})
    assert lost.returncode == 2 and "UPLIFT_SHARE" in lost.stderr and "nowhere" in lost.stderr, lost.stderr
    command(program, *small, env={**elsewhere(), "UPLIFT_SHARE": moved})


def library_steps_as_the_program_does(scratch):
    prefix, example, build = (os.path.join(scratch, name) for name in ("prefix", "example", "build"))
    command("cmake", "--install", BUILD, "--prefix", prefix)
    shutil.copytree(os.path.join(prefix, "share", "uplift", "examples", "library"), example)
    # Every installed header stands alone.
    headers = sorted(os.path.relpath(h, os.path.join(prefix, "include")) for h in glob.glob(os.path.join(prefix, "include", "**", "*.hpp"), recursive=True))
    headers = [h for h in headers if "/cuda/" not in h]
    assert len(headers) > 40, headers
    with open(os.path.join(example, "headers.cpp"), "w") as f:
        f.writelines(f'#include "{h}"\n' for h in headers)
    with open(os.path.join(example, "CMakeLists.txt"), "a") as f:
        f.write("target_sources(forces PRIVATE headers.cpp)\n")
    command("cmake", "-S", example, "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix, "-DCMAKE_BUILD_TYPE=Release", env=elsewhere())
    command("cmake", "--build", build)
    inputs = os.path.join(prefix, "share", "uplift", "inputs")
    system = os.path.join(inputs, "alanine-dipeptide-vacuum", "system")
    said = command(os.path.join(build, "forces"), system + ".prmtop", system + ".inpcrd")
    assert "22 atoms, step 100, 0.200 ps" in said, said
    # The same seed, the same bits: the program's last energy is the library's.
    path = os.path.join(scratch, "in.yaml")
    with open(path, "w") as f:
        f.write(DIPEPTIDE.format(inputs=inputs))
    command(os.path.join(prefix, "bin", "uplift"), "run", path, "--quiet", cwd=scratch)
    table = command(os.path.join(prefix, "bin", "uplift"), "info", os.path.join(scratch, "in", "energies.h5"))
    last = re.search(r"^\s+potential\s+\S+\s+\S+\s+(\S+)", table, re.M)[1]
    potential = float(re.search(r"potential (-?[\d.]+) kJ/mol", said)[1])
    assert abs(potential - float(last)) <= 1e-5 * abs(potential), (said, table)


def debian_packages_hold_a_program_that_runs(scratch):
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "cpack"):
        if not shutil.which(tool):
            print("left out: no", tool)
            return
    command("cpack", "-G", "DEB", "-B", scratch, cwd=BUILD)
    packages = {os.path.basename(p).split("_")[0]: p for p in glob.glob(os.path.join(scratch, "*.deb"))}
    assert sorted(packages) == ["libuplift-dev", "uplift"], packages
    depends = command("dpkg-deb", "-f", packages["uplift"], "Depends")
    for library in ("libc6", "libhdf5-", "libyaml-cpp", "libstdc++6", "libfftw3-", "zlib1g"):
        assert library in depends, depends
    assert "uplift (= " in command("dpkg-deb", "-f", packages["libuplift-dev"], "Depends")
    root = os.path.join(scratch, "root")
    for package in packages.values():
        command("dpkg-deb", "-x", package, root)
    program = os.path.join(root, "usr", "bin", "uplift")
    assert command(program, "--version") == command(os.path.join(BUILD, "bin", "uplift"), "--version")
    assert abs(energy_of(program, os.path.join(root, "usr", "share", "uplift", "inputs"), scratch)) < 1000
    assert os.path.exists(os.path.join(root, "usr", "include", "uplift", "engine", "simulation.hpp"))


if __name__ == "__main__":
    run_all(installed_files_do_without_the_source, library_steps_as_the_program_does, debian_packages_hold_a_program_that_runs)
