#include "harness.hpp"
#include "support/structure_texts.hpp"
#include "uplift/io/forcefield_xml.hpp"
#include "uplift/io/structure.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace uplift;
  static const Structure water = read_structure(fuzz::file("water.cif", test::water_cif));
  return fuzz::accept([&] { apply_forcefield(water, {fuzz::file("a.xml", fuzz::view(data, size))}); });
}
