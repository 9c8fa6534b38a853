#!/usr/bin/python3
"""Prints src/model/gb_parameters_tables.cpp: the neck tables of Mongan et al. 2007, angstrom and 1/angstrom, row by row.

  gb_neck_tables.py > src/model/gb_parameters_tables.cpp

The numbers are the published ones; they are read from the data lists d0 and m0 of OpenMM's Python package (Debian: python3-simtk),
which holds them in nm and 1/nm, so that nobody has to type 882 numbers.
"""
from openmm.app.internal import customgbforces as source

SIZE = 21


def rows(values):
    assert len(values) == SIZE * SIZE
    lines = []
    for r in range(SIZE):
        line = '    '
        for v in values[SIZE * r:SIZE * (r + 1)]:
            item = '%.7g, ' % v
            if len(line) + len(item) > 124:
                lines.append(line.rstrip())
                line = '    '
            line += item
        lines.append(line.rstrip())
    return '\n'.join(lines)


print(f'''#include "uplift/model/gb_parameters.hpp"

namespace uplift {{

// clang-format off
// Printed by tools/gb_neck_tables.py, {SIZE} to a row; tests/unit/gb_test.cpp holds check sums.
const double gb_neck_distance[gb_neck_size * gb_neck_size] = {{
{rows([10 * v for v in source.d0])}
}};

const double gb_neck_height[gb_neck_size * gb_neck_size] = {{
{rows([v / 10 for v in source.m0])}
}};
// clang-format on

}}  // namespace uplift''')
