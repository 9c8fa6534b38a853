#include "harness.hpp"
#include "uplift/io/charmm.hpp"

UPLIFT_FUZZ_FILE("a.crd", uplift::read_charmm_card(path))
