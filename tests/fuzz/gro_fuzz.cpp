#include "harness.hpp"
#include "uplift/io/gromacs.hpp"

UPLIFT_FUZZ_FILE("a.gro", uplift::read_gro(path))
