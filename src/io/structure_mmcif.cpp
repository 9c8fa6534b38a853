// mmCIF files, by gemmi. Atom sites are looked through for numbers that are none, which gemmi would make not-a-number.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gemmi/cif.hpp>
#include <gemmi/mmcif.hpp>

#include "structure_gemmi.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::structure {
namespace {

/// Leaves what a structure is made of, so that nothing else in a file can be wrong.
void drop_the_rest(gemmi::cif::Block& block) {
  std::vector<gemmi::cif::Item>& items = block.items;
  items.erase(
      std::remove_if(
          items.begin(), items.end(),
          [](const gemmi::cif::Item& item) {
            for (const char* kept : {"_atom_site.", "_cell.", "_symmetry.", "_space_group.", "_struct.", "_struct_conn."})
              if (item.has_prefix(kept)) return false;
            return true;
          }),
      items.end());
}

/// gemmi reads whole numbers without a look at how long they are.
void check_whole_numbers(const std::string& path, const gemmi::cif::Block& block) {
  const auto check = [&](const std::string& tag, const std::string& value) {
    const std::size_t first = value.find_first_not_of("'\"+-");
    if (first == std::string::npos) return;
    const std::size_t end = value.find_first_not_of("0123456789", first);
    if ((end == std::string::npos ? value.size() : end) - first > 9)
      throw InputError(fmt::format("{}: {} is {}, which is no number that it can be; the file is damaged", path, printable(tag),
                                   in_quotes(value)));
  };
  for (const gemmi::cif::Item& item : block.items) {
    if (item.type == gemmi::cif::ItemType::Pair && !item.has_prefix("_struct.")) check(item.pair[0], item.pair[1]);
    if (item.type == gemmi::cif::ItemType::Loop)
      for (std::size_t k = 0; k < item.loop.values.size(); ++k)
        check(item.loop.tags[k % item.loop.tags.size()], item.loop.values[k]);
  }
}

void check_sites(const std::string& path, gemmi::cif::Block& block) {
  std::string missing;
  for (const char* column : {"id", "type_symbol", "label_alt_id", "label_asym_id", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy",
                             "B_iso_or_equiv", "auth_seq_id"})
    if (block.find_values(std::string("_atom_site.") + column).length() == 0)
      missing += (missing.empty() ? "" : ", ") + std::string(column);
  if (!missing.empty())
    throw InputError(path + ": the _atom_site loop is missing or has no column " + missing +
                     "; check that it is the mmCIF file of a structure and that it is whole");
  gemmi::cif::Table sites = block.find("_atom_site.", {"Cartn_x", "Cartn_y", "Cartn_z"});
  std::size_t row = 0;
  for (const auto& site : sites) {
    ++row;
    for (std::size_t k = 0; k < 3; ++k) {
      double value = 0;
      std::string text = site[k];
      const std::size_t bracket = text.find('(');  // 1.234(5): with a standard uncertainty
      if (bracket != std::string::npos) text.resize(bracket);
      if (!parse_real(text, value) || std::abs(value) > 1e6)
        throw InputError(
            fmt::format("{}: row {} of _atom_site: {} is {}, which is no number that it can be; the file is damaged", path, row,
                        std::string("Cartn_") + "xyz"[k], in_quotes(site[k])));
    }
  }
}

/// "name:LINE:COLUMN(BYTE): what" or "name:LINE: what" of gemmi: the place and the reason, with our path.
std::string explain(const std::string& path, std::string what) {
  constexpr std::string_view name = "mmcif";
  if (what.rfind(name, 0) == 0) what.erase(0, name.size());  // C++17: see tests/fuzz/CMakeLists.txt
  return path + (what.rfind(':', 0) == 0 ? "" : ": ") + printable(what) + "; the file is damaged or not in mmCIF format";
}

}  // namespace

RawStructure parse_mmcif(const std::string& path, const std::string& text) {
  gemmi::Structure read;
  try {
    gemmi::cif::Document document = gemmi::cif::read_memory(text.data(), text.size(), "mmcif");
    if (document.blocks.empty()) throw InputError(path + ": holds no data block; check that it is an mmCIF file");
    drop_the_rest(document.blocks[0]);
    check_whole_numbers(path, document.blocks[0]);
    check_sites(path, document.blocks[0]);
    read = gemmi::make_structure_from_block(document.blocks[0]);
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& e) {
    throw InputError(explain(path, e.what()));
  }
  if (read.models.empty()) throw InputError(path + ": holds no atoms; check that it is whole");
  RawStructure out;
  out.models = static_cast<int>(read.models.size());
  take_header(read, out);
  std::string subchain;
  for (const gemmi::Chain& chain : read.models[0].chains)
    for (const gemmi::Residue& residue : chain.residues) {
      RawResidue r = raw_residue(chain, residue);
      // In one chain of the author, another subchain is another molecule: the polymer ends before its ligands.
      if (!out.residues.empty() && out.residues.back().chain == r.chain && subchain != residue.subchain)
        out.residues.back().ter = true;
      subchain = residue.subchain;
      out.residues.push_back(std::move(r));
    }
  return out;
}

}  // namespace uplift::structure
