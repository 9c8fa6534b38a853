#!/usr/bin/python3
"""uplift validate finds what uplift run refuses, and both say in which line; what is allowed and doubtful is warned of.

  validate_test.py UPLIFT
"""
import os
import subprocess

from checks import INPUTS, UPLIFT, run_all

WATER = f"system: {{topology: {INPUTS}/alanine-dipeptide-tip3p/system.prmtop.gz, coordinates: {INPUTS}/alanine-dipeptide-tip3p/system.inpcrd.gz}}"
VACUUM = f"system: {{topology: {INPUTS}/alanine-dipeptide-vacuum/system.prmtop, coordinates: {INPUTS}/alanine-dipeptide-vacuum/system.inpcrd}}"


def write(scratch, *lines, system=WATER):
    """An input whose line 3 is the first of `lines`."""
    path = os.path.join(scratch, "in.yaml")
    with open(path, "w") as f:
        f.write("\n".join(("version: 1", system) + lines) + "\n")
    return path


def said(command, path, status):
    done = subprocess.run([UPLIFT, command, path, *(["--quiet"] if command == "run" else [])], capture_output=True, text=True)
    assert done.returncode == status, (command, done.returncode, done.stdout, done.stderr)
    return done.stderr


GO = "stages: [{name: go, time: 0.02 ps}]"


def both_refuse_the_same_with_its_line(scratch):
    cases = (
        ((GO, "forces: {cutoff: 2 nm}"), WATER, "in.yaml:4: forces.cutoff: 2.0 nm is more than half"),
        ((GO, "forces:", "  nonbonded: pme"), VACUUM, "in.yaml:5: forces.nonbonded: pme or reaction-field needs a periodic box"),
        ((GO, "forces:", "  hydrogen_mass: 8 amu"), WATER, "in.yaml:5: forces.hydrogen_mass: 8.0 amu leaves atom"),
        (("stages:", "  - name: go", "    time: 0.02 ps", "    hydrogen_mass: 8 amu"), WATER, "in.yaml:6: forces.hydrogen_mass: 8.0 amu leaves atom"),
        ((GO, "output:", "  trajectory: {every: 0.02 ps, atoms: protien}"), WATER, "in.yaml:5: output.trajectory.atoms: selection 'protien', column 1: unknown word"),
        ((GO, "output:", "  trajectory: {every: 0.02 ps, atoms: resname QQQ}"), WATER, "in.yaml:5: output.trajectory.atoms: 'resname QQQ' selects no atom"),
        (("stages:", "  - name: go", "    time: 0.02 ps", "    restraints: {positions: protien}"), WATER, "in.yaml:6: restraints.positions: selection 'protien'"),
        (("stages:", "  - name: go", "    time: 0.02 ps", "    restraints: {positions: name QQ}"), WATER, "in.yaml:6: restraints.positions: 'name QQ' selects no atom"),
        ((GO, "free_energy:", "  - name: pmf", '    variables: ["phi(9)"]'), WATER, "in.yaml:6: free_energy.pmf.variables: variable 'phi(9)'"),
        (("stages:", "  - name: go", "    time: 0.02 ps", "  - name: later", "    time: 0.02 ps", "    pme: {alpha: 50 /nm, grid: [32, 32, 32]}"), WATER, "in.yaml:8: forces.pme: alpha times the cutoff is too large"),
        (("stages:", "  - name: go", "    time: 0.02 ps", "  - name: later", "    time: 0.02 ps", "    pme: {alpha: 3 /nm, grid: [4096, 4096, 4096]}"), WATER, "PME grid 4096 x 4096 x 4096 has more than 2^31 points"),
        ((GO,), WATER.replace("alanine-dipeptide-tip3p/system.inpcrd.gz", "alanine-dipeptide-vacuum/system.inpcrd"), "system.inpcrd: has 22 atoms, and the topology"),
    )
    for lines, system, words in cases:
        path = write(scratch, *lines, "compute: {threads: 1, backend: cpu}", system=system)
        for command in ("validate", "run"):
            assert words in said(command, path, 2), (command, words, said(command, path, 2))


def a_backend_that_is_not_there_is_told(scratch):
    build = subprocess.run([UPLIFT, "info", "--devices"], capture_output=True, text=True).stdout
    if "this build has no CUDA" in build:
        assert "in.yaml:4: compute.backend: cuda is not in this build" in said("validate", write(scratch, GO, "compute: {backend: cuda}"), 0)


def doubts_are_warned_of(scratch):
    longer = "stages: [{name: go, time: 0.04 ps}]"
    step = lambda fs, forces="{}": said("validate", write(scratch, longer, f"dynamics: {{timestep: {fs} fs}}", f"forces: {forces}",
                                                          "output: {trajectory: {every: 0.04 ps}, energies: {every: 0.04 ps}}"), 0)
    assert "warning: stage go: steps of 4 fs are long for hydrogens of 1 amu" in step(4)
    assert "bonds of hydrogens that are free to vibrate" in step(2, "{constraints: none}")
    levels = lambda every, forces: said("validate", write(scratch, longer, "dynamics: {timestep: 4 fs, multiple_time_step: [{forces: [bonded], every: %d}, {forces: [pme-reciprocal], every: 4}, {forces: [nonbonded], every: 1}]}" % every,
                                                          f"forces: {forces}", "output: {trajectory: {every: 0.04 ps}, energies: {every: 0.04 ps}}"), 0)
    assert "stage go: bonded forces every 2 fs and bonds of hydrogens that are free to vibrate" in levels(2, "{constraints: none}")
    assert "stage go: bonded forces every 4 fs are rare for hydrogens of 1 amu" in levels(4, "{}")
    assert "warning" not in levels(1, "{constraints: none}") and "warning" not in levels(2, "{}")
    for fs, forces in ((2, "{}"), (2.5, "{}"), (4, "{hydrogen_mass: 3.024 amu}"), (4, "{constraints: h-angles}"), (1, "{constraints: none}")):
        assert "warning" not in step(fs, forces), (fs, forces)
    selected = said("validate", write(scratch, "stages: [{name: go, time: 0.02 ps, restraints: &same {positions: protein and not name QQ}}, {name: on, time: 0.02 ps, restraints: *same}]",
                                      "output: {trajectory: {every: 0.02 ps, atoms: protein or resname LIH}, energies: {every: 0.02 ps}}"), 0)
    for words in ("output.trajectory.atoms: no atom of this system has resname LIH", "stage go: restraints.positions: no atom of this system has name QQ"):
        assert selected.count("warning: " + words) == 1 and "stage on" not in selected, selected
    # A lysine has a charge, which the dipeptide has not.
    assert "the charges add up" not in step(2)
    subprocess.run([UPLIFT, "build", "--sequence", "ACE LYS NME", "--water", "none", "-o", os.path.join(scratch, "lys")], check=True, capture_output=True)
    system = "system: {topology: lys.pdb, forcefield: [amber14sb], box: [3 nm, 3 nm, 3 nm]}"
    assert "note: the charges add up to +1 e: PME spreads" in said("validate", write(scratch, GO, system=system), 0)
    assert "the charges" not in said("validate", write(scratch, GO, "forces: {nonbonded: no-cutoff}", system=system), 0)
    # Ions with the squares of the charges that many million atoms of water have, and with less.
    with open(os.path.join(scratch, "ions.gro"), "w") as f:
        f.write("ions\n40\n" + "".join(f"{k + 1:5d}{'PN'[k // 20]:5}{'PN'[k // 20]:>5}{k + 1:5d}{k % 4 + 0.5:8.3f}{k // 4 % 4 + 0.5:8.3f}{k // 16 + 0.5:8.3f}\n" for k in range(40)) + "   4.0 4.0 4.0\n")
    for charge, warned in ((750, True), (75, False)):
        with open(os.path.join(scratch, "ions.top"), "w") as f:
            f.write("[ defaults ]\n1 2\n[ atomtypes ]\nX 23.0 0.0 A 0.3 0.1\n" + "".join(f"[ moleculetype ]\n{m} 1\n[ atoms ]\n1 X 1 {m} {m} 1 {q} 23.0\n" for m, q in (("P", charge), ("N", -charge)))
                    + "[ system ]\nions\n[ molecules ]\nP 20\nN 20\n")
        assert warned == ("warning: so many charges that terms of the energy may pass 2.1e+09 kJ/mol" in said("validate", write(scratch, GO, system="system: {topology: ions.top, coordinates: ions.gro}"), 0)), charge


def all_is_said_at_once(scratch):
    stage, wrong_atoms, wrong_place = "stages: [{name: go, time: 0.02 ps, restraints: {positions: protien}}]", "output: {trajectory: {every: 0.02 ps, atoms: nobody}}", "in.yaml:3: restraints.positions: selection 'protien'"
    # What is wrong in the YAML hides nothing of what the files have to say.
    text = said("validate", write(scratch, stage, wrong_atoms, "titel: x"), 2)
    for words in ("in.yaml:5: unknown key 'titel'", "in.yaml:4: output.trajectory.atoms: selection 'nobody'", wrong_place, "docs/yaml-reference.md"):
        assert text.count(words) == 1, (words, text)
    text = said("validate", write(scratch, stage, wrong_atoms, "dynamics: {timestep: 2}", "forces: {cutoff: 2 nm}"), 2)
    for words in ("in.yaml:5: dynamics.timestep: '2' has no unit", "in.yaml:6: forces.cutoff: 2.0 nm is more than half", "in.yaml:4: output.trajectory.atoms", wrong_place):
        assert text.count(words) == 1, (words, text)
    # Nor do forces that do not fit the box, mesh or masses.
    for forces, words in (("{cutoff: 2 nm}", "forces.cutoff: 2.0 nm is more than half"), ("{hydrogen_mass: 8 amu}", "forces.hydrogen_mass: 8.0 amu leaves atom"), ("{pme: {alpha: 50 /nm, grid: [32, 32, 32]}}", "forces.pme: alpha times the cutoff")):
        text = said("validate", write(scratch, stage, wrong_atoms, f"forces: {forces}"), 2)
        for each in (words, "in.yaml:4: output.trajectory.atoms: selection 'nobody'", wrong_place):
            assert text.count(each) == 1, (each, text)
    # From forces that cannot be read nothing is concluded: this box is too small for the default.
    small = WATER[:-1] + ", box: [1.7 nm, 1.7 nm, 1.7 nm]}"
    text = said("validate", write(scratch, GO, "forces: {cutoff: 0.8}", system=small), 2)
    assert "has no unit" in text and "more than half" not in text, text
    assert "more than half" in said("validate", write(scratch, GO, system=small), 2)


def without_stages_there_is_nothing_to_run(scratch):
    path = write(scratch, "forces: {cutoff: 0.8 nm}")
    text = program("validate", path, status=0)
    assert "warning: there are no stages, so that `uplift run` refuses this input" in text and "no problems found for `uplift energy`" in text, text
    assert "there are no stages to run" in said("run", path, 2)


def a_box_that_is_not_used_is_told(scratch):
    free, one = "forces: {nonbonded: no-cutoff}", "compute: {threads: 1, backend: cpu}"
    boxed = VACUUM[:-1] + ", box: [3 nm, 3 nm, 3 nm]}"
    told = "in.yaml:2: system.box: is not used: nonbonded: no-cutoff has none"
    path = write(scratch, GO, free, one, "output: {report: false}", system=boxed)
    assert "warning: " in said("validate", path, 0) and told in said("validate", path, 0)
    said("run", path, 0)
    with open(os.path.join(scratch, "in", "run.log")) as f:
        assert told in f.read()
    assert "note: the box of " in said("validate", write(scratch, GO, free), 0)
    assert "is not used" not in said("validate", write(scratch, GO, free, system=VACUUM), 0)


def inputs_need_no_suffix(scratch):
    path = write(scratch, "forces: {nonbonded: no-cutoff}", GO, system=VACUUM)
    plain = os.path.join(scratch, "plain")
    os.rename(path, plain)
    assert "no problems found" in program("validate", plain, status=0)
    energy = program("energy", plain, status=0)
    assert subprocess.run(["bash", "-c", f"'{UPLIFT}' energy <(cat '{plain}')"], capture_output=True, text=True).stdout == energy


def program(*words, status, folder=None):
    done = subprocess.run([UPLIFT, *words], capture_output=True, text=True, cwd=folder)
    assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def messages_have_their_cure(scratch):
    path = write(scratch, GO)
    assert "write --max-time 3h, for minutes 3min" in program("run", path, "--max-time", "3", status=2)
    clock = program("run", path, "--max-time", "23:30:00", status=2)
    assert "as in --max-time 23.5h" in clock and "did you mean" not in clock, clock
    assert "it starts at the folder where the command was given" in program("build", "nofile.pdb", status=2)
    said = program("build", "--sequence", "ALA", "-o", os.path.join(scratch, "one"), status=2)
    assert "use --caps" in said and "uplift build" not in said, said
    assert "did you mean forces.pme?" in program("schema", "force.pme", status=2)


def advice_can_be_followed(scratch):
    """Of a run that blew up; and none of heat at 0 K, nor of GaMD to one who uses it."""
    sparse = "output: {trajectory: {every: 1 ps}, energies: {every: 1 ps}, report: false}"
    one = "compute: {threads: 1, backend: cpu}"
    wild = write(scratch, "forces: {nonbonded: no-cutoff, constraints: none}", "dynamics: {timestep: 20 fs}", "stages: [{name: go, time: 10 ps}]", sparse, one, system=VACUUM)
    said = program("run", wild, "--quiet", status=1)
    assert "with others, begin anew in another output.directory" in said, said
    log = os.path.join(scratch, "in", "run.log")
    def run_of(seed, temperature, bias=""):
        path = write(scratch, "forces: {nonbonded: no-cutoff, constraints: h-bonds}", f"dynamics: {{timestep: 4 fs, temperature: {temperature} K, friction: 0.1 /ps, seed: {seed}}}",
                     f"stages: [{{name: go, time: 60 ps{bias}}}]", "output: {trajectory: {every: 6 ps}, energies: {every: 0.06 ps}, report: false}", one, system=VACUUM)
        subprocess.run(["rm", "-rf", os.path.join(scratch, "in")], check=True)
        status = subprocess.run([UPLIFT, "run", path, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        with open(log) as f:
            text = f.read()
        assert "method: gamd, whose" not in text, text[-1500:]
        return status, text

    status, text = run_of(1, 0)
    assert status == 0 and "too hot" not in text, text[-1500:]
    # A boost so steep that steps of 4 fs heat: about half of the runs enough, and some blow up, as rounding has it.
    steep = ", bias: {method: gamd, boost: total, parameters: {total: {threshold: 150 kJ/mol, k: 0.0036 mol/kJ}}}"
    hot = [text for status, text in (run_of(seed, 300, steep) for seed in range(1, 13)) if status == 0 and "too hot" in text]
    assert hot and all("a smaller k or sigma0 of the boost" in text for text in hot), hot


def help_says_how_many_words_an_option_takes(scratch):
    usage = program("reweight", "--help", status=0)
    for several in ("--cv TEXT ...", "--bins INT ...", "--range TEXT ..."):
        assert several in usage, usage
    assert "--stage TEXT " in usage and "--stage TEXT ..." not in usage, usage
    assert "reweight RUN... [OPTIONS]\n" in usage and "convert FILES... [OPTIONS]\n" in program("convert", "--help", status=0), usage
    for words, taken, missing in ((("reweight", "--cv", "phi=phi(2)", "fe", "-o", "pmf"), "--cv takes all words that follow it, and has taken phi=phi(2) fe", "RUN"),
                                  (("reweight", "--cv", "phi", "--bins", "60", "fe", "-o", "pmf"), "--bins takes all words that follow it, and has taken 60 fe", "RUN"),
                                  (("info", "--forcefield", "amber14sb", "s.pdb"), "--forcefield takes all words that follow it, and has taken amber14sb s.pdb", "FILE")):
        said = program(*words, status=2)
        assert taken in said and f"give {missing} before it" in said, said
    assert "takes all words" not in program("info", status=2) and "FILE is required" in program("info", status=2)
    usage = program("run", "--help", status=0)
    assert "--set TEXT " in usage and "--set TEXT ..." not in usage, usage


def a_run_is_told_by_names_and_how_far_it_is(scratch):
    """Short forms of --cv, and uplift info of a run that has stopped and one that has finished."""
    surface = 'free_energy: [{name: pmf, variables: ["phi=phi(2)", "psi=psi(2)"], cutoff: 1, bootstrap: 0}]'
    path = write(scratch, "forces: {nonbonded: no-cutoff}", "stages: [{name: warm, time: 0.4 ps}, {name: go, time: 40 ps}]", "output: {trajectory: {every: 0.04 ps}, energies: {every: 0.04 ps}, report: false}",
                 surface, "compute: {threads: 1, backend: cpu}", system=VACUUM)
    program("run", path, "--quiet", "--set", "stages.go.time=4 ps", "--set", "dynamics.seed=3", status=0)
    run = os.path.join(scratch, "in")
    assert "step 2200 (4.4 ps), stage 2, go; finished" in program("info", run, status=0), program("info", run, status=0)
    for words in (("phi", "psi"), ("phi=phi(2)", "psi=psi(2)")):
        program("reweight", run, "--cv", *words, "--bins", "6", "--cutoff", "1", "--stage", "warm", "--stage", "go", "--bootstrap", "0", "--force", "-o", os.path.join(scratch, "-".join(w[:3] for w in words) + str(len(words[0]))), status=0)
    csv = []
    for name in ("phi-psi3.csv", "phi-psi10.csv"):
        with open(os.path.join(scratch, name)) as f:
            csv.append([line for line in f if not line.startswith("#")])
    assert csv[0] == csv[1] and len(csv[0]) > 30
    assert "defines none of this name (it has phi, psi)" in program("reweight", run, "--cv", "omega", "-o", os.path.join(scratch, "x"), status=2)
    program("run", path, "--quiet", "--set", "output.directory=half", "--set", "stages.go.time=400 ns", "--max-time", "1 s", status=3)
    assert "stage 2, go; not finished, 400000 ps in all" in program("info", os.path.join(scratch, "half"), status=0)


if __name__ == "__main__":
    run_all(messages_have_their_cure, advice_can_be_followed, help_says_how_many_words_an_option_takes, a_run_is_told_by_names_and_how_far_it_is, both_refuse_the_same_with_its_line, all_is_said_at_once, without_stages_there_is_nothing_to_run, a_box_that_is_not_used_is_told, inputs_need_no_suffix,
            a_backend_that_is_not_there_is_told, doubts_are_warned_of)
