#include "uplift/io/psf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <set>

#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

/// Columns: format EXT has ten for numbers and eight for names; the older one eight and four.
struct Columns {
  bool wide;
  int number() const { return wide ? 10 : 8; }
  int name() const { return wide ? 8 : 4; }
  int type() const { return wide ? 6 : 4; }
};

template <std::size_t n>
void put_list(std::string& out, const Columns& c, const char* head, const std::set<std::array<int, n>>& rows, int per_line) {
  out += fmt::format("\n{:{}d} {}\n", rows.size(), c.number(), head);
  int k = 0;
  for (const std::array<int, n>& row : rows) {
    for (const int atom : row) out += fmt::format("{:{}d}", atom + 1, c.number());
    if (++k % per_line == 0) out += '\n';
  }
  if (k % per_line != 0) out += '\n';
}

template <std::size_t n>
std::array<int, n> forward(std::array<int, n> row) {
  if (row.front() > row.back()) std::reverse(row.begin(), row.end());
  return row;
}

std::string segment(const Topology& topology, const Residue& residue) {
  if (!residue.chain.empty()) return residue.chain;
  return is_water(topology, residue) ? "WAT" : "SYS";
}

Columns columns_of(const Topology& topology) {
  bool wide = topology.size() > 9999999;
  for (const Atom& atom : topology.atoms) wide = wide || atom.name.size() > 4 || atom.type.size() > 4;
  for (const Residue& r : topology.residues) wide = wide || r.name.size() > 4 || r.chain.size() > 4 || r.number > 9999;
  return {wide};
}

void put_atoms(std::string& out, const Columns& c, const Topology& topology, const ForceField& ff) {
  out += fmt::format("\n{:{}d} !NATOM\n", topology.size(), c.number());
  for (int i = 0; i < topology.size(); ++i) {
    const Atom& atom = topology.atoms[static_cast<std::size_t>(i)];
    const Residue& residue = topology.residues[static_cast<std::size_t>(atom.residue)];
    fmt::format_to(std::back_inserter(out), "{:{}d} {:<{}.{}} {:<{}} {:<{}.{}} {:<{}.{}} {:<{}.{}} {:14.6f}{:14.6f}{:8d}\n",
                   i + 1, c.number(), segment(topology, residue), c.name(), c.name(),
                   std::to_string(residue.number) + residue.insertion, c.name(), residue.name, c.name(), c.name(), atom.name,
                   c.name(), c.name(), atom.type.empty() ? "X" : atom.type, c.type(), c.type(),
                   ff.charges[static_cast<std::size_t>(i)], atom.mass, 0);
  }
}

}  // namespace

std::vector<std::string> write_psf(const std::string& path, const Topology& topology, const ForceField& ff) {
  const Columns c = columns_of(topology);
  std::set<int> sites;
  for (const VirtualSite& s : ff.virtual_sites) sites.insert(s.site);
  const auto real = [&](std::initializer_list<int> atoms) {
    for (const int i : atoms)
      if (sites.count(i)) return false;
    return true;
  };
  std::set<std::array<int, 2>> bonds;
  std::set<std::array<int, 3>> angles;
  std::set<std::array<int, 4>> dihedrals, impropers;
  std::set<std::array<int, 8>> cross;
  for (const Bond& b : topology.bonds) bonds.insert({b.i, b.j});
  // A rigid water's third bond is how NAMD and CHARMM know that it is rigid.
  for (const HarmonicBond& b : ff.bonds)
    if (real({b.i, b.j})) bonds.insert(forward(std::array{b.i, b.j}));
  for (const HarmonicAngle& a : ff.angles)
    if (real({a.i, a.j, a.k})) angles.insert(forward(std::array{a.i, a.j, a.k}));
  for (const PeriodicDihedral& d : ff.dihedrals)
    (d.improper ? impropers : dihedrals)
        .insert(d.improper ? std::array{d.i, d.j, d.k, d.l} : forward(std::array{d.i, d.j, d.k, d.l}));
  for (const HarmonicImproper& d : ff.impropers) impropers.insert({d.i, d.j, d.k, d.l});
  for (const CmapTorsion& t : ff.cmaps) cross.insert({t.i, t.j, t.k, t.l, t.j, t.k, t.l, t.m});

  std::string out =
      fmt::format("PSF{}{} XPLOR\n\n{:{}d} !NTITLE\n REMARKS {:.70}\n REMARKS written by uplift\n", c.wide ? " EXT" : "",
                  cross.empty() ? "" : " CMAP", 2, c.number(), topology.title.substr(0, topology.title.find('\n')));
  put_atoms(out, c, topology, ff);
  put_list(out, c, "!NBOND: bonds", bonds, 4);
  put_list(out, c, "!NTHETA: angles", angles, 3);
  put_list(out, c, "!NPHI: dihedrals", dihedrals, 2);
  put_list(out, c, "!NIMPHI: impropers", impropers, 2);
  for (const char* empty : {"!NDON: donors", "!NACC: acceptors"}) out += fmt::format("\n{:{}d} {}\n\n", 0, c.number(), empty);
  // Explicit exclusions: none, but a row of zeros for every atom.
  out += fmt::format("\n{:{}d} !NNB\n\n", 0, c.number());
  for (int i = 0; i < topology.size(); ++i)
    out += fmt::format("{:{}d}{}", 0, c.number(), i % 8 == 7 || i + 1 == topology.size() ? "\n" : "");
  out += fmt::format("\n{:{}d}{:{}d} !NGRP NST2\n{:{}d}{:{}d}{:{}d}\n", 1, c.number(), 0, c.number(), 0, c.number(), 0,
                     c.number(), 0, c.number());
  if (!cross.empty()) put_list(out, c, "!NCRTERM: cross-terms", cross, 1);

  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << out;
  file.close();
  if (!file) fail_to_write(path, errno);
  std::vector<std::string> notes;
  if (!sites.empty())
    notes.push_back(path + ": its " + std::to_string(sites.size()) +
                    " virtual sites are plain atoms without bonds: good to look at, not to simulate with (CHARMM's section of "
                    "lone pairs is not written)");
  return notes;
}

}  // namespace uplift
