#!/usr/bin/env python3
"""Counts what a GPU would execute, without one: machine instructions of kernels and of their loops, from the disassembly of what nvcc makes.
A kernel that is limited by instructions takes at least

    (instructions a warp executes) x (warps) / (4 x multiprocessors) cycles.

  kernel_instructions.py [--source FOLDER] [--architecture sm_90] [--json FILE] [--kernel PATTERN] [FILE.cu ...]
  kernel_instructions.py --self-test

FILE.cu: in kernels/cuda, by default those of every step. --kernel: a regular expression on names, by default those of mixed precision without
energies. nvcc and nvdisasm are looked for in PATH (and nvcc where CUDA installs it); nvdisasm comes with CUDA, or with `pip install nvidia-cuda-nvdisasm`,
then --nvdisasm FILE. Exit status 77 when one is missing.
"""
import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from kernel_names import demangle, short

STEADY = ["cluster_pairs.cu", "sort_atoms.cu", "pme.cu", "pme_charges.cu", "moves.cu", "bonded.cu"]
NOT_FUSED = {"pair_list.cu", "sort_atoms.cu", "all_pairs.cu"}  # as in src/backend/cuda/CMakeLists.txt
MIXED = r"cluster_pairs_kernel<(Everyday|Ruled|Excepted).*\(Wanted\)0|place_kernel<float|(spread|gather|to_real|convolve)_kernel<([45], )?float|moves_kernel|bonded_kernel<float"
CLASSES = [
    ("shuffles", r"SHFL|REDUX"),
    ("single precision", r"FADD|FMUL|FFMA|FMNMX|FSEL|FSET|MUFU|I2F|F2I|F2F|FRND|HFMA|FCHK"),
    ("double precision", r"DADD|DMUL|DFMA|DSETP|DMNMX"),
    ("integers", r"IADD|IMAD|IMNMX|ISETP|LEA|LOP|SHF|SHL|SHR|PRMT|SEL\b|POPC|FLO|BREV|VOTE|UIADD|ULEA|ULOP|USHF|UISETP|UPRMT|UIMAD|USEL|VIADD|VIMNMX|PLOP|UPLOP|IABS|P2R|R2P"),
    ("memory", r"LDG|STG|LDS|STS|LD\b|ST\b|LDL|STL|RED|ATOM|LDSM"),
    ("constants and moves", r"MOV|LDC|ULDC|UMOV|CS2R|S2R|S2UR|R2UR"),
]


def nvcc_of(given):
    return given or shutil.which("nvcc") or next((p for p in ("/usr/local/cuda/bin/nvcc",) if os.path.exists(p)), None)


def class_of(mnemonic):
    return next((name for name, pattern in CLASSES if re.match(pattern, mnemonic)), "branches and others")


def counted(instructions):
    classes = collections.Counter(class_of(m) for _, m, _ in instructions)
    return {"instructions": len(instructions), **dict(classes.most_common())}


def kernels_of(disassembly):
    """name: [(address, mnemonic, label jumped to or None)], and labels: address of what follows."""
    kernels, labels, name = {}, {}, None
    pending = []
    for line in disassembly.splitlines():
        if match := re.match(r"\.text\.(\S+):", line):
            name, pending = match[1], []
            kernels[name] = []
        elif match := re.match(r"(\.L_x_\d+):", line):
            pending.append(match[1])
        elif name and (match := re.search(r"/\*([0-9a-f]{4,})\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)([^;]*);", line)):
            address = int(match[1], 16)
            for label in pending:
                labels[label] = address
            pending = []
            target = re.search(r"`\((\.L_x_\d+)\)", match[3]) if match[2].startswith("BRA") else None
            if match[2] != "NOP":
                kernels[name].append((address, match[2], target and target[1]))
    return kernels, labels


def loops_of(instructions, labels):
    """Innermost and outer ones: what lies between a jump back and where it goes."""
    found = {}
    for address, _, target in instructions:
        start = labels.get(target)
        if start is not None and start < address:
            found[start] = max(address, found.get(start, 0))
    return [counted([i for i in instructions if start <= i[0] <= end]) for start, end in sorted(found.items())]


def self_test():
    kernels, labels = kernels_of("""
.text._Z4loopPf:
        /*0000*/                   LDC R1, c[0x0][0x28] ;
.L_x_1:
        /*0010*/              @!P0 LDG.E.128 R4, desc[UR6][R2.64] ;
        /*0020*/                   SHFL.IDX PT, R9, R4, RZ, 0x1f ;
        /*0030*/                   FFMA R8, R4, R5, R8 ;
        /*0040*/               @P1 BRA `(.L_x_1) ;
        /*0050*/                   EXIT ;
.L_x_2:
        /*0060*/                   BRA `(.L_x_2);
        /*0070*/                   NOP ;
""")
    instructions = kernels["_Z4loopPf"]
    assert counted(instructions)["instructions"] == 7, instructions
    loop = loops_of(instructions, labels)[0]
    assert loop == {"instructions": 4, "memory": 1, "shuffles": 1, "single precision": 1, "branches and others": 1}, loop
    assert short(demangle(["_ZN6uplift11cuda_device12place_kernelIfEEvT_"])[0]) == "place_kernel<float>"
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default=ROOT)
    parser.add_argument("--architecture", default="sm_90")
    parser.add_argument("--kernel", default=MIXED)
    parser.add_argument("--nvcc")
    parser.add_argument("--nvdisasm", default=shutil.which("nvdisasm"))
    parser.add_argument("--json")
    parser.add_argument("files", nargs="*", default=STEADY)
    options = parser.parse_args()
    nvcc = nvcc_of(options.nvcc)
    for tool, name in ((nvcc, "nvcc"), (options.nvdisasm, "nvdisasm")):
        if not tool:
            print(f"kernel_instructions.py: {name} was not found", file=sys.stderr)
            return 77
    results = {}
    for file in options.files:
        with tempfile.TemporaryDirectory() as folder:
            cubin = os.path.join(folder, "kernels.cubin")
            source = options.source
            command = [nvcc, "-DUPLIFT_DEVICE=cuda_device", '-DUPLIFT_DEVICE_NAME="cuda"', f"-I{source}/src", f"-I{source}/kernels",
                       f"-I{source}/include", "-isystem", "/usr/include/eigen3", "-O3", "-DNDEBUG", f"-arch={options.architecture}",
                       "--expt-relaxed-constexpr", "-std=c++20", *(["-fmad=false"] if file in NOT_FUSED else []), "-cubin", "-x", "cu", f"{source}/kernels/cuda/{file}", "-o", cubin]
            subprocess.run(command, check=True)
            text = subprocess.run([options.nvdisasm, "-c", cubin], capture_output=True, text=True, check=True).stdout
        kernels, labels = kernels_of(text)
        for name, instructions in zip(map(short, demangle(list(kernels))), kernels.values()):
            if re.search(options.kernel, name):
                results[name] = {**counted(instructions), "loops": loops_of(instructions, labels)}
    for name, result in results.items():
        print(f"{result['instructions']:7}  {name}")
        for loop in result["loops"]:
            print(f"{'':9}loop of {', '.join(f'{n} {what}' if what != 'instructions' else str(n) for what, n in loop.items())}")
    if options.json:
        version = re.search(r"release (\S+),", subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout)[1]
        with open(options.json, "w") as out:
            json.dump({"command": " ".join(["benchmarks/kernel_instructions.py", *options.files]), "architecture": options.architecture,
                       "nvcc": version, "kernels": results}, out, indent=1)
            out.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
