#include "prmtop_builder.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace uplift::test {
namespace {

constexpr double degree = 3.14159265358979323846 / 180;
const double chamber_factor = std::sqrt(332.0716);

std::string format_int(int width, int value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%*d", width, value);
  return buffer;
}

template <class T, class F>
std::string lines_of(const std::vector<T>& values, int per_line, F format) {
  std::string out;
  for (std::size_t n = 0; n < values.size(); ++n) {
    out += format(values[n]);
    if ((n + 1) % static_cast<std::size_t>(per_line) == 0 || n + 1 == values.size()) out += '\n';
  }
  return out.empty() ? "\n" : out;
}

std::string ints(const std::vector<int>& values) { return "%FORMAT(10I8)\n" + columns(values, 10, 8); }
std::string reals(const std::vector<double>& values) { return "%FORMAT(5E16.8)\n" + columns(values, 5, 16, 8, true); }
std::string exact(const std::vector<double>& values) { return "%FORMAT(3E24.16)\n" + columns(values, 3, 24, 16, true); }
std::string words(const std::vector<std::string>& values) {
  return "%FORMAT(20a4)\n" + lines_of(values, 20, [](std::string w) {
           w.resize(4, ' ');
           return w;
         });
}

/// Column `which` of a parameter list.
std::vector<double> column_of(const std::vector<std::array<double, 2>>& types, std::size_t which, double factor = 1) {
  std::vector<double> out;
  for (const auto& t : types) out.push_back(t[which] * factor);
  return out;
}

}  // namespace

std::string columns(const std::vector<int>& values, int per_line, int width) {
  return lines_of(values, per_line, [width](int v) { return format_int(width, v); });
}

std::string columns(const std::vector<double>& values, int per_line, int width, int decimals, bool exponent) {
  return lines_of(values, per_line, [=](double v) {
    char buffer[400];
    std::snprintf(buffer, sizeof buffer, exponent ? "%*.*E" : "%*.*f", width, decimals, v);
    return std::string(buffer);
  });
}

int PrmtopBuilder::add_residue(const std::string& name, const std::vector<Atom>& atoms) {
  const int first = size();
  residue_names_.push_back(name);
  residue_first_.push_back(first);
  atoms_.insert(atoms_.end(), atoms.begin(), atoms.end());
  return first;
}

void PrmtopBuilder::add_bond(int i, int j, double k, double r0) {
  bond_types_.push_back({k, r0});
  bonds_.push_back({i, j, static_cast<int>(bond_types_.size())});
}

void PrmtopBuilder::add_angle(int i, int j, int k, double force, double theta0) {
  angle_types_.push_back({force, theta0});
  angles_.push_back({i, j, k, static_cast<int>(angle_types_.size())});
}

void PrmtopBuilder::add_exclusion(int i, int j) { exclusions_.insert({std::min(i, j), std::max(i, j)}); }

void PrmtopBuilder::set_lj(int type_a, int type_b, double a, double b) {
  lj_[{std::min(type_a, type_b), std::max(type_a, type_b)}] = {a, b};
}

void PrmtopBuilder::add_urey_bradley(int i, int k, double force, double r0) {
  urey_types_.push_back({force, r0});
  urey_bradleys_.push_back({i, k, static_cast<int>(urey_types_.size())});
}

void PrmtopBuilder::add_improper(int i, int j, int k, int l, double force, double psi) {
  improper_types_.push_back({force, psi});
  impropers_.push_back({i, j, k, l, static_cast<int>(improper_types_.size())});
}

int PrmtopBuilder::add_cmap_grid(int resolution, const std::vector<double>& energy) {
  grids_.push_back({resolution, energy});
  return static_cast<int>(grids_.size()) - 1;
}

bool PrmtopBuilder::has_hydrogen(std::initializer_list<int> atoms) const {
  return std::any_of(atoms.begin(), atoms.end(), [&](int a) { return atoms_[static_cast<std::size_t>(a)].element == 1; });
}

std::vector<int> PrmtopBuilder::pointers(int exclusions) const {
  int types = 0;
  for (const Atom& a : atoms_) types = std::max(types, a.lj_type + 1);
  const auto split = [](const auto& terms, auto with) {
    const int n = static_cast<int>(std::count_if(terms.begin(), terms.end(), with));
    return std::pair(n, static_cast<int>(terms.size()) - n);
  };
  const auto [bh, ba] = split(bonds_, [&](const Bond& b) { return has_hydrogen({b.i, b.j}); });
  const auto [th, ta] = split(angles_, [&](const Angle& a) { return has_hydrogen({a.i, a.j, a.k}); });
  const auto [ph, pa] = split(dihedrals_, [&](const Dihedral& d) { return has_hydrogen({d.i, d.j, d.k, d.l}); });
  const int sites = static_cast<int>(std::count_if(atoms_.begin(), atoms_.end(), [](const Atom& a) { return a.mass == 0; }));
  std::vector<int> p(31, 0);
  const std::vector<int> head = {size(),
                                 types,
                                 bh,
                                 ba,
                                 th,
                                 ta,
                                 ph,
                                 pa,
                                 0,
                                 0,
                                 exclusions,
                                 static_cast<int>(residue_first_.size()),
                                 ba,
                                 ta,
                                 pa,
                                 static_cast<int>(bond_types_.size()),
                                 static_cast<int>(angle_types_.size()),
                                 static_cast<int>(dihedrals_.size()),
                                 types,
                                 0};
  std::copy(head.begin(), head.end(), p.begin());
  p[27] = ifbox;
  p[28] = size();
  p[30] = sites;
  for (const auto& [index, value] : pointer_overrides_) p.at(static_cast<std::size_t>(index)) = value;
  return p;
}

void PrmtopBuilder::write_section(std::string& out, const std::string& flag, const std::string& body) const {
  if (removed_.contains(flag)) return;
  const auto replacement = replaced_.find(flag);
  out += "%FLAG " + flag + std::string(std::max<std::size_t>(1, 74 - flag.size()), ' ') + "\n";
  out += replacement == replaced_.end() ? body : replacement->second;
}

void PrmtopBuilder::write_bonded(std::string& out) const {
  std::vector<int> with, without;
  const auto put = [&](bool hydrogen, std::initializer_list<int> term) {
    (hydrogen ? with : without).insert((hydrogen ? with : without).end(), term);
  };
  const auto flush = [&](const std::string& kind) {
    write_section(out, kind + "_INC_HYDROGEN", ints(with));
    write_section(out, kind + "_WITHOUT_HYDROGEN", ints(without));
    with.clear();
    without.clear();
  };
  for (const Bond& b : bonds_) put(has_hydrogen({b.i, b.j}), {3 * b.i, 3 * b.j, b.type});
  flush("BONDS");
  for (const Angle& a : angles_) put(has_hydrogen({a.i, a.j, a.k}), {3 * a.i, 3 * a.j, 3 * a.k, a.type});
  flush("ANGLES");
  int type = 0;
  for (const Dihedral& d : dihedrals_)
    put(has_hydrogen({d.i, d.j, d.k, d.l}),
        {3 * d.i, 3 * d.j, d.no_14 || d.improper ? -3 * d.k : 3 * d.k, d.improper ? -3 * d.l : 3 * d.l, ++type});
  flush("DIHEDRALS");
}

void PrmtopBuilder::write_charmm(std::string& out) const {
  std::vector<int> list;
  for (const Bond& u : urey_bradleys_) list.insert(list.end(), {u.i + 1, u.j + 1, u.type});
  write_section(
      out, "CHARMM_UREY_BRADLEY_COUNT",
      "%COMMENT V(ub) = K_ub(r_ik - R_ub)**2\n%FORMAT(2I8)\n" +
          columns(std::vector<int>{static_cast<int>(urey_bradleys_.size()), static_cast<int>(urey_types_.size())}, 2, 8));
  write_section(out, "CHARMM_UREY_BRADLEY", ints(list));
  write_section(out, "CHARMM_UREY_BRADLEY_FORCE_CONSTANT", reals(column_of(urey_types_, 0)));
  write_section(out, "CHARMM_UREY_BRADLEY_EQUIL_VALUE", reals(column_of(urey_types_, 1)));
  list.clear();
  for (const Improper& t : impropers_) list.insert(list.end(), {t.i + 1, t.j + 1, t.k + 1, t.l + 1, t.type});
  write_section(out, "CHARMM_NUM_IMPROPERS", ints({static_cast<int>(impropers_.size())}));
  write_section(out, "CHARMM_IMPROPERS", ints(list));
  write_section(out, "CHARMM_NUM_IMPR_TYPES",
                "%FORMAT(1I8)\n" + columns(std::vector<int>{static_cast<int>(improper_types_.size())}, 1, 8));
  write_section(out, "CHARMM_IMPROPER_FORCE_CONSTANT", reals(column_of(improper_types_, 0)));
  write_section(out, "CHARMM_IMPROPER_PHASE", reals(column_of(improper_types_, 1)));
}

std::string PrmtopBuilder::text() const {
  std::string out = "%VERSION  VERSION_STAMP = V0001.000  DATE = 01/01/00  00:00:00\n";
  const std::size_t n = atoms_.size();
  const auto each = [&](auto get) {
    std::vector<std::decay_t<decltype(get(atoms_[0]))>> values;
    for (const Atom& a : atoms_) values.push_back(get(a));
    return values;
  };
  std::vector<int> excluded_count, excluded;
  for (int i = 0; i < static_cast<int>(n); ++i) {
    const std::size_t before = excluded.size();
    for (const auto& [a, b] : exclusions_)
      if (a == i) excluded.push_back(b + 1);
    if (excluded.size() == before) excluded.push_back(0);
    excluded_count.push_back(static_cast<int>(excluded.size() - before));
  }
  const auto p = pointers(static_cast<int>(excluded.size()));
  int types = 0;  // not p[1], which a test may have overridden
  for (const Atom& atom : atoms_) types = std::max(types, atom.lj_type + 1);
  std::vector<int> index(static_cast<std::size_t>(types * types));
  std::vector<double> a, b;
  for (int i = 0; i < types; ++i)
    for (int j = 0; j <= i; ++j) {
      const auto found = lj_.find({j, i});
      a.push_back(found == lj_.end() ? 0 : found->second[0]);
      b.push_back(found == lj_.end() ? 0 : found->second[1]);
      index[static_cast<std::size_t>(i * types + j)] = index[static_cast<std::size_t>(j * types + i)] =
          static_cast<int>(a.size());
    }
  std::vector<int> first;
  for (int f : residue_first_) first.push_back(f + 1);

  write_section(out, chamber ? "CTITLE" : "TITLE", "%FORMAT(20a4)\n" + title + "\n");
  write_section(out, "POINTERS", "%FORMAT(10I12)\n" + columns(p, 10, 12));  // wide enough for hostile counts
  if (chamber) write_section(out, "FORCE_FIELD_TYPE", "%FORMAT(i2,a78)\n 1             a CHARMM force field\n");
  write_section(out, "ATOM_NAME", words(each([](const Atom& x) { return x.name; })));
  const auto charges = each([&](const Atom& x) { return x.charge * (chamber ? chamber_factor : 18.2223); });
  write_section(out, "CHARGE",
                chamber ? "%COMMENT Atomic charge multiplied by sqrt(332.0716D0) (CCELEC)\n" + exact(charges) : reals(charges));
  if (write_atomic_numbers) write_section(out, "ATOMIC_NUMBER", ints(each([](const Atom& x) { return x.element; })));
  write_section(out, "MASS", reals(each([](const Atom& x) { return x.mass; })));
  write_section(out, "ATOM_TYPE_INDEX", ints(each([](const Atom& x) { return x.lj_type + 1; })));
  write_section(out, "NUMBER_EXCLUDED_ATOMS", ints(excluded_count));
  write_section(out, "NONBONDED_PARM_INDEX", ints(index));
  write_section(out, "RESIDUE_LABEL", words(residue_names_));
  write_section(out, "RESIDUE_POINTER", ints(first));
  write_section(out, "BOND_FORCE_CONSTANT", reals(column_of(bond_types_, 0)));
  write_section(out, "BOND_EQUIL_VALUE", reals(column_of(bond_types_, 1)));
  write_section(out, "ANGLE_FORCE_CONSTANT", reals(column_of(angle_types_, 0)));
  write_section(out, "ANGLE_EQUIL_VALUE", "%FORMAT(3E25.17)\n" + columns(column_of(angle_types_, 1, degree), 3, 25, 17, true));
  if (chamber) write_charmm(out);
  std::vector<double> barrier, periodicity, phase, scee, scnb;
  for (const Dihedral& d : dihedrals_) {
    barrier.push_back(d.barrier);
    periodicity.push_back(d.periodicity);
    phase.push_back(d.phase * degree);
    scee.push_back(d.scee);
    scnb.push_back(d.scnb);
  }
  write_section(out, "DIHEDRAL_FORCE_CONSTANT", reals(barrier));
  write_section(out, "DIHEDRAL_PERIODICITY", reals(periodicity));
  write_section(out, "DIHEDRAL_PHASE", reals(phase));
  if (write_scales) {
    write_section(out, "SCEE_SCALE_FACTOR", reals(scee));
    write_section(out, "SCNB_SCALE_FACTOR", reals(scnb));
  }
  write_section(out, "SOLTY", reals(std::vector<double>(static_cast<std::size_t>(types))));
  write_section(out, "LENNARD_JONES_ACOEF", exact(a));
  write_section(out, "LENNARD_JONES_BCOEF", exact(b));
  if (chamber) {
    // Half of the ordinary coefficients, so that a reader that mixes up the two tables is found out.
    for (double& value : a) value /= 2;
    for (double& value : b) value /= 2;
    write_section(out, "LENNARD_JONES_14_ACOEF", exact(a));
    write_section(out, "LENNARD_JONES_14_BCOEF", exact(b));
  }
  write_bonded(out);
  write_section(out, "EXCLUDED_ATOMS_LIST", ints(excluded));
  for (const char* flag : {"HBOND_ACOEF", "HBOND_BCOEF", "HBCUT"}) write_section(out, flag, reals({}));
  write_section(out, "AMBER_ATOM_TYPE", words(each([](const Atom& x) { return x.type; })));
  if (ifbox != 0)
    write_section(out, "BOX_DIMENSIONS", reals({box_dimensions[0], box_dimensions[1], box_dimensions[2], box_dimensions[3]}));
  if (write_gb) {
    write_section(out, "RADIUS_SET", "%FORMAT(1a80)\nmade for a test\n");
    write_section(out, "RADII", reals(each([](const Atom& x) { return x.radius; })));
    write_section(out, "SCREEN", reals(each([](const Atom& x) { return x.screen; })));
  }
  write_section(out, "IPOL", "%FORMAT(1I8)\n       0\n");
  if (!grids_.empty()) {
    const std::string prefix = chamber ? "CHARMM_" : "";
    std::vector<int> resolutions, list;
    for (const Cmap& c : cmaps_) {
      for (int atom : c.atoms) list.push_back(atom + 1);
      list.push_back(c.map + 1);
    }
    for (const Grid& g : grids_) resolutions.push_back(g.resolution);
    write_section(
        out, prefix + "CMAP_COUNT",
        "%FORMAT(2I8)\n" + columns(std::vector<int>{static_cast<int>(cmaps_.size()), static_cast<int>(grids_.size())}, 2, 8));
    write_section(out, prefix + "CMAP_RESOLUTION", "%FORMAT(20I4)\n" + columns(resolutions, 20, 4));
    for (std::size_t g = 0; g < grids_.size(); ++g)
      write_section(out, prefix + "CMAP_PARAMETER_0" + std::to_string(g + 1),
                    "%FORMAT(8(F9.5))\n" + columns(grids_[g].energy, 8, 9, 5, false));
    write_section(out, prefix + "CMAP_INDEX", "%FORMAT(6I8)\n" + columns(list, 6, 8));
  }
  for (const auto& [flag, body] : replaced_)
    if (out.find("%FLAG " + flag + " ") == std::string::npos) out += "%FLAG " + flag + "\n" + body;
  return out;
}

void PrmtopBuilder::add_water(const std::vector<Atom>& atoms, double r_site) {
  const int o = add_residue("WAT", atoms), n = static_cast<int>(atoms.size());
  add_bond(o, o + 1, 553, 0.9572);
  add_bond(o, o + 2, 553, 0.9572);
  add_bond(o + 1, o + 2, 553, 1.5136);
  for (int site = 3; site < n; ++site) add_bond(o, o + site, 553, r_site);
  for (int i = 0; i < 3; ++i)
    for (int j = i + 1; j < 3; ++j) add_exclusion(o + i, o + j);
}

void PrmtopBuilder::add_tip3p(int waters) {
  for (int w = 0; w < waters; ++w)
    add_water({{"O", "OW", 8, -0.834, 16.0, 0}, {"H1", "HW", 1, 0.417, 1.008, 1}, {"H2", "HW", 1, 0.417, 1.008, 1}}, 0);
  set_lj(0, 0, 5.81935564e5, 5.94825035e2);
}

void PrmtopBuilder::add_tip4pew(int waters) {
  for (int w = 0; w < waters; ++w)
    add_water({{"O", "OW", 8, 0, 16.0, 0},
               {"H1", "HW", 1, 0.52422, 1.008, 1},
               {"H2", "HW", 1, 0.52422, 1.008, 1},
               {"EPW", "EP", 0, -1.04844, 0, 2}},
              0.125);
  set_lj(0, 0, 4 * 0.16275 * std::pow(3.16435, 12), 4 * 0.16275 * std::pow(3.16435, 6));
}

void PrmtopBuilder::add_tip5p(int waters) {
  for (int w = 0; w < waters; ++w)
    add_water({{"O", "OW", 8, 0, 16.0, 0},
               {"H1", "HW", 1, 0.241, 1.008, 1},
               {"H2", "HW", 1, 0.241, 1.008, 1},
               {"EP1", "EP", 0, -0.241, 0, 2},
               {"EP2", "EP", 0, -0.241, 0, 2}},
              0.7);
  set_lj(0, 0, 4 * 0.16 * std::pow(3.12, 12), 4 * 0.16 * std::pow(3.12, 6));
}

}  // namespace uplift::test
