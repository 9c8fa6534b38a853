#include "harness.hpp"
#include "support/topology_texts.hpp"
#include "uplift/io/charmm.hpp"

// The same text as a parameter file, as a residue topology file and as a stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace uplift;
  static const std::string psf = fuzz::file("good.psf", test::psf_text());
  for (const char* name : {"a.prm", "a.rtf", "a.str"})
    fuzz::accept([&] { read_psf(psf, {fuzz::file(name, fuzz::view(data, size))}); });
  return 0;
}
