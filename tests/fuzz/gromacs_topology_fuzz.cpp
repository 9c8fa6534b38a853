#include "harness.hpp"
#include "uplift/io/gromacs.hpp"

// a.top up to a line "@", then b.itp, which a.top may include.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace uplift;
  const std::string_view text = fuzz::view(data, size);
  const std::size_t cut = std::min(text.find("\n@\n"), text.size());
  fuzz::file("b.itp", text.substr(std::min(cut + 3, text.size())));
  GromacsOptions options{{"POSRES", "N=3"}, {}};
  options.most_atoms = 20000;
  return fuzz::accept([&] { fuzz::write_and_read(read_gromacs_topology(fuzz::file("a.top", text.substr(0, cut)), options)); });
}
