#include "harness.hpp"
#include "uplift/io/structure.hpp"

UPLIFT_FUZZ_FILE("a.pdb", uplift::read_structure(path))
