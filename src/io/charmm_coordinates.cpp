// CHARMM's CARD coordinates: titles that begin with an asterisk, the number of atoms, then a line an atom.
#include <cmath>
#include <new>

#include "gromacs_preprocessor.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/charmm.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {

bool is_charmm_card(const std::string& text) {
  return trim(std::string_view(text).substr(0, text.find('\n'))).starts_with('*');
}

Coordinates read_charmm_card(const std::string& path) try {
  const std::string text = read_file(path);
  LineReader lines(text);
  const auto fail = [&](const std::string& message) {
    throw InputError(path + ":" + std::to_string(std::max(1, lines.line())) + ": " + message);
  };
  std::string_view line = lines.next();
  while (!lines.done() && trim(line).starts_with('*')) line = lines.next();
  const auto head = gromacs::split(line);
  int atoms = 0;
  if (head.empty() || !parse_int(head[0], atoms) || atoms < 1)
    fail("after the titles comes the number of atoms, and the line reads " + in_quotes(trim(line)) +
         "; give a CHARMM CARD file");
  Coordinates out;
  out.kind = "CHARMM coordinates";
  for (int n = 0; n < atoms; ++n) {
    if (lines.done())
      fail("the file ends before atom " + std::to_string(n + 1) + " of " + std::to_string(atoms) + "; it is truncated");
    const auto w = gromacs::split(lines.next());
    const std::string who = "atom " + std::to_string(n + 1) + ": ";
    int number = 0;
    double x[3] = {};
    if (w.size() < 9 || !parse_int(w[0], number))
      fail(who +
           "the line has not the nine words of CARD (number, residue number, residue, atom, x, y, z, segment, residue "
           "number); the file is damaged");
    for (std::size_t d = 0; d < 3; ++d) {
      if (!parse_real(w[4 + d], x[d]) || std::abs(x[d]) > 1e7)
        fail(who + in_quotes(w[4 + d]) + " is no coordinate within bounds; the file is damaged");
      if (x[d] == 9999) fail(who + "9999 marks a coordinate that CHARMM did not know; build the atom first");
    }
    int residue = 0;
    parse_int(w[8], residue);
    out.labels.push_back({std::string(w[3]), std::string(w[2]), residue});
    out.x.push_back(constants::nm_per_angstrom * Vec3d{x[0], x[1], x[2]});
  }
  return out;
} catch (const std::bad_alloc&) {
  throw InputError(path + ": the system it describes does not fit into this machine's memory");
}

}  // namespace uplift
