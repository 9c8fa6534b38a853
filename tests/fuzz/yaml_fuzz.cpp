#include "harness.hpp"
#include "uplift/io/run_input.hpp"

// What the check finds nothing wrong with is also loaded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace uplift;
  static const std::string topology = fuzz::file("a.prmtop", "x"), coordinates = fuzz::file("a.rst7", "x");
  const std::string path = fuzz::file("input.yaml", fuzz::view(data, size));
  return fuzz::accept([&] {
    if (check_run_input(path).empty()) load_run_input(path);
  });
}
