#!/usr/bin/python3
"""`uplift build` as a user runs it, from an empty folder, and `uplift run` on what it wrote.

  build_test.py UPLIFT
"""
import gzip
import json
import math
import os
import re

import checks
from checks import run_all

SDF1 = "/usr/share/doc/theseus/examples/2sdf.pdb.gz"  # Debian's theseus-examples


def uplift(folder, *arguments, **more):
    done = checks.uplift(*arguments, cwd=folder, **more)
    return done.stdout + done.stderr


def potential(folder, stem):
    uplift(folder, "energy", stem + ".yaml", "--json", stem + ".json")
    with open(os.path.join(folder, stem + ".json")) as f:
        text = f.read()
    found = re.search(r'"potential"\s*:\s*([-+0-9.eE]+)', text)
    return float(found.group(1))


def with_stages(folder, stem, stages):
    """The written input with other stages."""
    path = os.path.join(folder, stem + ".yaml")
    with open(path) as f:
        text = f.read()
    text, times = re.subn(r"^stages:\n(?:  .*\n)*", "stages: " + stages + "\n", text, flags=re.M)
    assert times == 1, text
    with open(path, "w") as f:
        f.write(text)


def a_sequence_in_salt_water_runs(folder):
    uplift(folder, "build", "--sequence", "GYDPETGTWG", "--padding", "0.5 nm", "--salt", "0.15 mol/L", "-o", "peptide")
    assert sorted(os.listdir(folder)) == ["peptide.pdb", "peptide.yaml"]
    uplift(folder, "validate", "peptide.yaml")
    # All stages that were written, only shorter: --set would need their names; the settings stay as they are.
    path = os.path.join(folder, "peptide.yaml")
    with open(path) as f:
        text = f.read()
    for written, short in (("max_steps: 2000", "max_steps: 200"), ("time: 20 ps", "time: 0.1 ps"), ("time: 100 ps", "time: 0.2 ps"),
                           ("time: 1 ns", "time: 0.2 ps"), ("every: 2 ps", "every: 0.1 ps"), ("every: 0.2 ps", "every: 0.02 ps")):
        assert text.count(written) == 1, written
        text = text.replace(written, short)
    with open(path, "w") as f:
        f.write(text)
    said = uplift(folder, "run", "peptide.yaml")
    assert "production" in said and os.path.exists(os.path.join(folder, "peptide", "trajectory.h5md")), said
    temperature = float(re.search(r"temperature \[K\]\s+([0-9.]+)", said).group(1))
    # Velocities of 300 K; from a minimum, half of the kinetic energy turns into potential energy at once.
    assert 120 < temperature < 320, said


def stripped_protein():
    """The first model of SDF-1 without hydrogens, and without the ends of long side chains."""
    lines = []
    with gzip.open(SDF1, "rt") as f:
        for line in f:
            if line.startswith("ATOM"):
                name = line[12:16].strip()
                if name.lstrip("0123456789").startswith("H"):
                    continue
                if line[17:20] in ("LYS", "ARG", "GLU") and name not in ("N", "CA", "C", "O", "CB", "CG"):
                    continue
            lines.append(line)
            if line.startswith("ENDMDL"):
                break
    return "".join(lines)


def a_protein_with_gaps_and_disulfides_minimises(folder):
    if not os.path.exists(SDF1):
        print("skipped: theseus-examples is not installed")
        return
    with open(os.path.join(folder, "gaps.pdb"), "w") as f:
        f.write(stripped_protein())
    said = uplift(folder, "build", "gaps.pdb", "--padding", "0.3 nm", "-o", "whole")
    # As many atoms as the file has with its own hydrogens and side chains.
    assert re.search(r"67 residues, 1124 atoms, charge \+8 e", said) and "8 CL" in said, said
    with open(os.path.join(folder, "whole.pdb")) as f:
        atoms = [line for line in f if line.startswith(("ATOM", "HETATM"))]
    cystines = {line[22:26].strip() for line in atoms if line[17:20] == "CYX"}
    assert cystines == {"9", "11", "34", "50"}, cystines
    before = potential(folder, "whole")
    with_stages(folder, "whole", "[{name: minimize, minimize: {max_steps: 500, force_tolerance: 1 kJ/mol/nm}}]")
    said = uplift(folder, "run", "whole.yaml")
    after = float(re.search(r"500 steps in [^:]+: energy (\S+) kJ/mol", said).group(1))
    assert math.isfinite(before) and math.isfinite(after) and after < before, (before, after)


def crystal_structures_build_or_say_what_to_leave_out(folder):
    """X-ray structures as they come: columns of 1995, crystal water, ligands, metals, a broken backbone."""
    folders = {"d1cih__": "cytochromes", "1b8p_A": "ldh", "1a5z_A": "ldh", "1bdm_A": "ldh"}
    examples = os.path.dirname(SDF1)
    for name, where in folders.items():
        source = os.path.join(examples, where, name + ".pdb.gz")
        if not os.path.exists(source):
            print("skipped: theseus-examples is not installed")
            return
        with gzip.open(source, "rt") as f, open(os.path.join(folder, name + ".pdb"), "w") as g:
            g.write(f.read())
    dry = ("--water", "none", "--implicit-solvent", "obc2")
    said = uplift(folder, "build", "d1cih__.pdb", *dry, "-o", "old")
    assert "108 residues, 1679 atoms, charge +7 e" in said, said
    said = uplift(folder, "build", "1b8p_A.pdb", *dry, expect=2)
    assert "(and so for 211 more HOH)" in said and "(--remove water)" in said, said
    uplift(folder, "build", "1b8p_A.pdb", *dry, "--remove", "water", "-o", "dry")
    said = uplift(folder, "build", "1a5z_A.pdb", *dry, expect=2)
    assert "(--remove CD FBP NAD OXM water)" in said and len(said.splitlines()) < 8, said
    uplift(folder, "build", "1a5z_A.pdb", *dry, "--remove", "CD", "FBP", "NAD", "OXM", "water", "-o", "bare")
    said = uplift(folder, "build", "1bdm_A.pdb", *dry, expect=2)
    assert "ARG A 91 lacks CA, C of its backbone" in said, said
    for stem in ("old", "dry", "bare"):
        assert math.isfinite(potential(folder, stem)), stem


def every_box_and_water_has_an_energy(folder):
    for stem, options in {
        "octahedron": ["--shape", "octahedron", "--water", "tip4pew"],
        "dodecahedron": ["--shape", "dodecahedron", "--water", "opc", "--salt", "0.3 mol/L", "--positive", "K"],
        "cube": ["--shape", "cubic", "--water", "spce", "--conformation", "helix", "--forcefield", "amber99sb-ildn"],
        "rectangle": ["--shape", "rectangular"],
        "vacuum": ["--water", "none"],
        "implicit": ["--water", "none", "--implicit-solvent", "obc2"],
    }.items():
        uplift(folder, "build", "--sequence", "AaKE", "--caps", "--padding", "0.4 nm", "-o", stem, *options)
        uplift(folder, "validate", stem + ".yaml")
        assert math.isfinite(potential(folder, stem)), stem


def more_residues_than_a_pdb_can_number_are_read_back(folder):
    said = uplift(folder, "build", "--sequence", "GA", "--edge", "7 nm", "--shape", "cubic", "-o", "large")
    assert int(re.search(r"(\d+) waters", said).group(1)) > 10500, said
    assert math.isfinite(potential(folder, "large"))


def chains_of_two_letters_become_mmcif(folder):
    """A PDB has one column for them: AA and A would be one chain."""
    uplift(folder, "build", "--sequence", "GAG", "--water", "none", "-o", "one")
    columns = ("group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id Cartn_x Cartn_y Cartn_z "
               "occupancy B_iso_or_equiv auth_seq_id auth_asym_id").split()
    rows = []
    with open(os.path.join(folder, "one.pdb")) as f:
        atoms = [line for line in f if line.startswith("ATOM")]
    for chain, shift in (("A", 0), ("AA", 30)):
        rows += [f"ATOM {len(rows) + n} {line[76:78].strip()} {line[12:16].strip()} . {line[17:20].strip()} {chain} {line[22:26].strip()} "
                 f"{float(line[30:38]) + shift:.3f} {line[38:46].strip()} {line[46:54].strip()} 1 0 {line[22:26].strip()} {chain}" for n, line in enumerate(atoms, 1)]
    with open(os.path.join(folder, "two.cif"), "w") as f:
        f.write("data_two\nloop_\n" + "".join(f"_atom_site.{c}\n" for c in columns) + "\n".join(rows) + "\n")
    said = uplift(folder, "build", "two.cif", "--water", "none", "-o", "both")
    assert "both.cif" in said and not os.path.exists(os.path.join(folder, "both.pdb")), said
    assert math.isfinite(potential(folder, "both"))
    said = uplift(folder, "info", "both.cif")
    assert re.search(r"chains\s+2: A \(1 to 3\), AA \(1 to 3\)", said), said


def a_seed_gives_the_same_files(folder):
    for stem in ("one", "two"):
        uplift(folder, "build", "--sequence", "AKE", "--salt", "0.2 mol/L", "--padding", "0.4 nm", "--seed", "5", "-o", stem)
    contents = []
    for stem in ("one", "two"):
        with open(os.path.join(folder, stem + ".pdb")) as f:
            contents.append(f.read())
    assert contents[0] == contents[1]


def terms(folder, stem):
    uplift(folder, "energy", stem + ".yaml", "--json", stem + ".json", "--precision", "double")
    with open(os.path.join(folder, stem + ".json")) as f:
        return json.load(f)["energies"]


def openmm_reads_the_cell(folder, stem):
    """The prmtop alone, whose one angle OpenMM takes for all three, gives the lattice of the coordinates."""
    try:
        import openmm.app as app
        from openmm import unit
    except ImportError:
        print("openmm is not here: its reading of the cell is left out")
        return
    import numpy as np
    vectors = [np.array(x.value_in_unit(unit.angstrom)) for x in (
        app.AmberPrmtopFile(os.path.join(folder, stem + ".prmtop")).topology.getPeriodicBoxVectors(),
        app.AmberInpcrdFile(os.path.join(folder, stem + ".inpcrd")).boxVectors)]
    # One lattice: each vector of the one is a sum of whole vectors of the other, and the volumes are the same.
    steps = vectors[0] @ np.linalg.inv(vectors[1])
    assert np.abs(steps - np.round(steps)).max() < 1e-5 and abs(abs(np.linalg.det(steps)) - 1) < 1e-5, (stem, vectors)


def a_prmtop_has_the_same_energies(folder):
    """Positions of the PDB have three decimals of an Angstrom, those of the inpcrd seven: both runs take the inpcrd."""
    for stem, options in {"vacuum": ["--water", "none"], "implicit": ["--water", "none", "--implicit-solvent", "obc2"], "three": ["--water", "tip3p"],
                          "four": ["--water", "opc", "--shape", "octahedron"]}.items():
        said = uplift(folder, "build", "--sequence", "ACDEFGHIKLMNPQRSTVWY", "--padding", "0.2 nm", "--salt", "0.1 mol/L", "--prmtop", stem + ".prmtop", "-o", stem,
                      *options)
        assert f"{stem}.prmtop, {stem}.inpcrd" in said, said
        with open(os.path.join(folder, stem + ".yaml")) as f:
            text = f.read()
        # Constraints would leave bonds out; angles of water count where it is not rigid.
        text, times = re.subn("constraints: h-bonds", "constraints: none\n  rigid_water: false", text)
        assert times == 1
        found = re.search(r"topology: (.*)\n  forcefield: (.*)\n", text)
        for name, system in {"-xml": f"topology: {found[1]}\n  coordinates: {stem}.inpcrd\n  forcefield: {found[2]}\n",
                             "-amber": f"topology: {stem}.prmtop\n  coordinates: {stem}.inpcrd\n"}.items():
            with open(os.path.join(folder, stem + name + ".yaml"), "w") as f:
                f.write(text.replace(found[0], system))
        ours, theirs = terms(folder, stem + "-xml"), terms(folder, stem + "-amber")
        assert set(ours) == set(theirs), (set(ours), set(theirs))
        for term, value in ours.items():
            assert abs(theirs[term] - value) < 1e-6 * abs(value), (stem, term, value, theirs[term])
    openmm_reads_the_cell(folder, "three")
    openmm_reads_the_cell(folder, "four")
    said = uplift(folder, "info", "four.prmtop")
    assert "virtual sites" in said and "kinds" in said and "WAT" in said, said


def wrong_input_says_what_to_do(folder):
    with open(os.path.join(folder, "damaged.pdb"), "w") as f:
        f.write("ATOM      1  N   ALA A   1       0.000   0.000   0.000  1.00  0.00           N\n"
                "ATOM      2  CA  ALA A   1       1.4x8   0.000   0.000  1.00  0.00           C\n")
    for options, words in {
        ("damaged.pdb",): ["damaged.pdb:2"],
        ("--sequence", "GAZ"): ["letter 3", "'Z'"],
        (): ["--sequence", "protein.pdb"],
        ("--sequence", "GA", "--edge", "1 nm"): ["--edge", "at least"],
        ("--sequence", "GA", "--padding", "1"): ["--padding", "nm"],
        ("--sequence", "GA", "--salt", "0.15"): ["--salt"],
        ("--sequence", "GA", "--forcefield", "charmm99"): ["charmm99", "amber14sb"],
        ("--sequence", "GA", "--implicit-solvent", "obc2"): ["--water none"],
        ("--sequence", "GA", "--prmtop", "a.inpcrd"): ["--prmtop", ".prmtop"],
    }.items():
        said = uplift(folder, "build", *options, expect=2)
        assert all(w in said for w in words), (options, said)
    assert os.listdir(folder) == ["damaged.pdb"]


def files(folder):
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as f:
            found[name] = f.read()
    return found


def nothing_is_overwritten_unasked(folder):
    dry = ("--sequence", "AKE", "--water", "none")
    uplift(folder, "build", *dry, "-o", "protein", "--prmtop", "amber.prmtop")
    os.symlink("protein.pdb", os.path.join(folder, "link.pdb"))
    before = files(folder)
    # An input is never an output, whatever its name and whatever is forced.
    for options in (("protein.pdb", "-o", "protein"), ("protein.pdb", "-o", "protein", "--force"), ("link.pdb", "-o", "./protein", "--force"), ("protein.pdb", "-o", "link", "-f")):
        said = uplift(folder, "build", *options, "--water", "none", expect=2)
        assert "is an input, too; choose another stem with -o" in said, said
    # What is there stays, edited or not.
    for options, name in {("-o", "protein"): "protein.pdb", ("-o", "new", "--prmtop", "amber.prmtop"): "amber.prmtop", ("-o", "new", "--prmtop", "amber.parm7"): "amber.inpcrd"}.items():
        said = uplift(folder, "build", *dry, *options, expect=2)
        assert name + ": is there already; choose another name, or replace it with --force" in said, said
    os.remove(os.path.join(folder, "protein.pdb"))
    said = uplift(folder, "build", *dry, "-o", "protein", expect=2)
    assert "protein.yaml: is there already" in said, said
    said = uplift(folder, "build", *dry, "-o", "new", "--prmtop", "new.pdb", expect=2)
    assert "--prmtop new.pdb: new.pdb is written already" in said, said
    del before["protein.pdb"], before["link.pdb"]
    os.remove(os.path.join(folder, "link.pdb"))
    assert files(folder) == before
    uplift(folder, "build", "--sequence", "GAG", "--water", "none", "-o", "protein", "--prmtop", "amber.prmtop", "--force")
    after = files(folder)
    assert after.keys() == before.keys() | {"protein.pdb"} and all(after[name] != before[name] for name in ("amber.prmtop", "amber.inpcrd", "protein.yaml"))


run_all(a_sequence_in_salt_water_runs, a_protein_with_gaps_and_disulfides_minimises,
        crystal_structures_build_or_say_what_to_leave_out, every_box_and_water_has_an_energy,
        more_residues_than_a_pdb_can_number_are_read_back, chains_of_two_letters_become_mmcif, a_seed_gives_the_same_files, a_prmtop_has_the_same_energies,
        wrong_input_says_what_to_do, nothing_is_overwritten_unasked)
