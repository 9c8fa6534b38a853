#include "harness.hpp"
#include "support/topology_texts.hpp"
#include "uplift/io/charmm.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace uplift;
  static const std::string parameters = fuzz::file("good.prm", test::prm_text());
  return fuzz::accept([&] { read_psf(fuzz::file("a.psf", fuzz::view(data, size)), {parameters}); });
}
