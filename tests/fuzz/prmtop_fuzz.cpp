#include "harness.hpp"
#include "uplift/io/amber.hpp"

UPLIFT_FUZZ_FILE("a.prmtop", uplift::read_prmtop(path))
