#include "harness.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/io/amber_writer.hpp"

// What is read and can be written is read again.
UPLIFT_FUZZ_FILE("a.prmtop", {
  const uplift::AmberTopology t = uplift::read_prmtop(path);
  uplift::fuzz::write_and_read(t);
})
