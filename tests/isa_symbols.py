#!/usr/bin/python3
"""Weak symbols in objects compiled for one instruction set must be in its own namespace, ours or Highway's (which has data in its own since 1.1): the
linker keeps any one copy of a weak function, and a copy compiled for AVX-512 must not be what an old processor gets.
Usage: isa_symbols.py NM ISA OBJECT..."""
import re
import subprocess
import sys

nm, isa, objects = sys.argv[1], sys.argv[2], sys.argv[3:]
if not objects:
    sys.exit("no objects given")
highway = re.compile(r"^(\S+ )?hwy::N_" + {"portable": "SSE4", "avx2": "AVX2", "avx512": "AVX3"}[isa] + r"::")
shared, symbols = [], 0
for path in objects:
    for line in subprocess.run([nm, "-C", "--defined-only", path], capture_output=True, text=True, check=True).stdout.splitlines():
        address, kind, name = line.split(" ", 2)
        symbols += 1
        if kind in "WVu" and f"isa_{isa}::" not in name and not highway.match(name):
            shared.append(f"{path}: {name}")
print(f"{symbols} symbols in {len(objects)} objects of {isa}, {len(shared)} weak and shared")
sys.exit("\n".join(shared) if shared or not symbols else 0)
