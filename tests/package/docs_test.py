#!/usr/bin/python3
"""The documentation against the program: the page of keys is what the binary prints, and the site builds with every link good.

  docs_test.py UPLIFT      exit status 77 (skip) when only mkdocs is missing and all else is well
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

UPLIFT = os.path.abspath(sys.argv[1])
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def uplift(*words, status=0):
    done = subprocess.run([UPLIFT, *words], capture_output=True, text=True)
    assert done.returncode == status, f"{words}: {done.stderr[-2000:]}"
    return done.stdout + done.stderr


def page_is_what_the_program_says():
    with open(os.path.join(SOURCE, "docs", "yaml-reference.md"), encoding="utf-8") as f:
        committed = f.read()
    said = uplift("schema")
    assert said == committed, "docs/yaml-reference.md is out of date: uplift schema > docs/yaml-reference.md"
    rows = [line for line in said.splitlines() if line.startswith("| `")]
    assert len(rows) > 100, len(rows)
    for row in rows:
        cells = re.split(r"(?<!\\)\|", row)[1:-1]
        assert len(cells) == 5 and cells[1].strip() and cells[3].strip() and cells[4].strip() and not re.search(r": `$", row), row


def messages_name_a_section_that_is_there():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bad.yaml")
        with open(path, "w") as f:
            f.write("version: 1\nsystem: {topology: a, coordinates: b}\nforces: {pme: {order: 9}}\nstages: [{name: a, bais: {}}]\n")
        said = uplift("validate", path, status=2)
    assert "docs/yaml-reference.md" in said, said
    named = re.findall(r"`uplift schema ([\w.]+)`", said)
    assert "forces.pme" in named and "stages" in named, said
    for section in named:
        assert uplift("schema", section).replace("[]", "").startswith(f"## {section}\n"), section
    assert "no key of the input" in uplift("schema", "forces.nothing", status=2)
    assert "docs/yaml-reference.md" in uplift("run", "--help")


def help_is_where_it_is_looked_for():
    assert uplift("help") == uplift("--help") and uplift("help", "run") == uplift("run", "--help")
    said = uplift("mdrun", "-v", status=2)
    assert "'mdrun'" in said and "run, " in said and "--help" in said and "man-page" not in said, said


def known_keys():
    """Every key of the input, dotted, from the page itself."""
    keys, block = set(), ""
    for line in uplift("schema").splitlines():
        if line.startswith("## "):
            block = "" if line == "## Top level" else line[3:].replace("[]", "") + "."
        elif line.startswith("| `") and " | see " not in line and line.count("|") >= 6 or re.match(r"\| `\w+` \| (block|list of blocks) ", line):
            keys.add(block + re.match(r"\| `([^`]+)`", line)[1])
    return keys


def keys_on_other_pages_exist():
    keys, seen = known_keys(), 0
    assert "forces.pme.order" in keys and "stages.bias.parameters.from" in keys, sorted(keys)
    for name in sorted(os.listdir(os.path.join(SOURCE, "docs"))):
        if not name.endswith(".md") or name == "yaml-reference.md":
            continue
        with open(os.path.join(SOURCE, "docs", name), encoding="utf-8") as f:
            for key in re.findall(r"(?<![\w/.-])((?:system|forces|dynamics|output|compute)(?:\.[a-z_]+)+)(?![\w.(])", f.read()):
                if key.rsplit(".", 1)[1] in ("prmtop", "inpcrd", "gro", "top", "psf"):  # names of files
                    continue
                seen += 1
                assert key in keys, f"{name}: there is no key {key}"
    assert seen > 50, seen


def validation_shows_the_results():
    done = subprocess.run([os.path.join(SOURCE, "tools", "validation_page.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def every_page_is_in_the_site():
    with open(os.path.join(SOURCE, "mkdocs.yml")) as f:
        in_nav = set(re.findall(r":\s*(\S+\.md)\s*$", f.read(), re.M))
    pages = {name for name in os.listdir(os.path.join(SOURCE, "docs")) if name.endswith(".md")}
    assert in_nav == pages, (sorted(in_nav - pages), sorted(pages - in_nav))


def scripts_can_be_started_as_they_are_named():
    """`./truth.py` of an example's page."""
    for folder, _, names in os.walk(os.path.join(SOURCE, "examples")):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                assert not f.read(2) == b"#!" or os.access(path, os.X_OK), path + " is not executable"


def site_builds():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mkdocs", "build", "--strict", "-f", os.path.join(SOURCE, "mkdocs.yml"), "-d", folder], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert os.path.exists(os.path.join(folder, "yaml-reference", "index.html"))


page_is_what_the_program_says()
messages_name_a_section_that_is_there()
help_is_where_it_is_looked_for()
keys_on_other_pages_exist()
validation_shows_the_results()
every_page_is_in_the_site()
scripts_can_be_started_as_they_are_named()
if not shutil.which("mkdocs"):
    print("skipped: no mkdocs to build the site with")
    sys.exit(77)
site_builds()
