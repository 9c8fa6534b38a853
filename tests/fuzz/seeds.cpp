// fuzz_seeds FOLDER: the first corpus of every fuzz target, FOLDER/TARGET/SEED, from the texts of other tests and from the
// project's own writers.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <tuple>

#include "support/structure_texts.hpp"
#include "support/topology_texts.hpp"
#include "uplift/io/checkpoint.hpp"
#include "uplift/io/frames.hpp"

namespace {

using namespace uplift;
namespace fs = std::filesystem;

class Seeds {
 public:
  explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}
  std::string place(const std::string& target, const std::string& name) const {
    fs::create_directories(folder_ / target);
    return (folder_ / target / name).string();
  }
  void text(const std::string& target, const std::string& name, const std::string& bytes) const {
    std::ofstream(place(target, name), std::ios::binary) << bytes;
  }
  void copy(const std::string& target, const std::string& from) const {
    const fs::path source = fs::path(UPLIFT_SOURCE_DIR) / from;
    fs::copy_file(source, place(target, source.filename().string()), fs::copy_options::overwrite_existing);
  }

 private:
  fs::path folder_;
};

void amber(const Seeds& seeds) {
  seeds.copy("prmtop", "inputs/alanine-dipeptide-vacuum/system.prmtop");
  seeds.copy("prmtop", "inputs/water-tip3p-small/system.prmtop.gz");
  seeds.copy("inpcrd", "inputs/alanine-dipeptide-vacuum/system.inpcrd");
  seeds.copy("inpcrd", "inputs/water-tip3p-small/system.inpcrd.gz");
  seeds.text(
      "inpcrd", "box.inpcrd",
      "water\n    3  1.0\n   1.0000000   2.0000000   3.0000000   1.5000000   2.0000000   3.0000000\n"
      "   1.0000000   2.5000000   3.0000000\n  20.0000000  21.0000000  22.0000000  90.0000000  90.0000000  90.0000000\n");
}

void gromacs_and_charmm(const Seeds& seeds) {
  const std::string top = test::gromacs_text();
  seeds.text("gromacs_topology", "all.top", top);
  const std::size_t half = top.find("[ moleculetype ]");
  seeds.text("gromacs_topology", "include.top", "#include \"b.itp\"\n" + top.substr(half) + "\n@\n" + top.substr(0, half));
  // One that a prmtop can hold, in CHAMBER's form: the pair of atoms four bonds apart is taken out.
  std::string chamber = top;
  const std::string pair = "1 5 2 0.5 0.05 0.1 0.3 0.2\n";
  chamber.erase(chamber.find(pair), pair.size());
  seeds.text("gromacs_topology", "chamber.top", chamber);
  seeds.text("gro", "a.gro", test::gro_text());
  seeds.text("psf", "a.psf", test::psf_text());
  const std::string prm = test::prm_text();
  seeds.text("charmm_parameters", "a.prm", prm);
  seeds.text("charmm_parameters", "a.str",
             "* a stream\n*\nread rtf card append\n* title\n*\n36 1\nMASS -1 CT1 12.011 C\nRESI GLY 0.0\nGROUP\n"
             "ATOM N NH1 -0.47\nATOM CA CT1 0.47\nBOND N CA\nIMPR N CA N CA\nPATCH FIRST NONE LAST NONE\nEND\n\n"
             "read para card flex append\n" +
                 prm + "\nRETURN\n");
  seeds.text("charmm_card", "a.crd",
             "* title\n*\n    2  EXT\n    1    1 ALA  N      1.00000   2.00000  -3.50000 PEP  1      0.00000\n"
             "    1    1 ALA  CA    11.00000   2.00000   3.50000 PEP  1      0.00000\n");
}

void structures(const Seeds& seeds) {
  seeds.text("pdb", "dipeptide.pdb", test::dipeptide_pdb);
  seeds.text(
      "pdb", "records.pdb",
      "SSBOND   1 CYS A    1    CYS A    2\nLINK         O   HOH B   1                NA   NA B   2     1555   1555  2.40\n"
      "MODEL        1\n"
      "ATOM      1  SG ACYS A   1       0.000   1.028   0.000  0.50  0.00           S\n"
      "ATOM      2  SG BCYS A   1       0.000   1.028   0.000  0.50  0.00           S\n"
      "ATOM      3  SG  CYS A   2       0.000   3.028   0.000  1.00  0.00           S\n"
      "TER\nHETATM    4  O   HOH B   1      10.000  10.000  10.000  1.00  0.00           O\n"
      "HETATM    5 NA   NA  B   2A     10.000  12.400  10.000  1.00  0.00          NA1+\n"
      "CONECT    4    5\nENDMDL\nMODEL        2\nENDMDL\nEND\n");
  seeds.text("mmcif", "water.cif", test::water_cif);
  seeds.text("forcefield_xml", "water.xml", test::water_xml);
  seeds.text(
      "forcefield_xml", "forces.xml",
      "<ForceField><AtomTypes><Type name='O' class='OW' element='O' mass='16'/><Type name='H' class='HW' element='H' "
      "mass='1'/><Type name='I' class='NA' element='Na' mass='23'/></AtomTypes><Residues><Residue name='HOH'><Atom "
      "name='O' type='O' charge='-0.8'/><Atom name='H1' type='H' charge='0.4'/><Atom name='H2' type='H' charge='0.4'/>"
      "<Bond atomName1='O' atomName2='H1'/><Bond atomName1='O' atomName2='H2'/></Residue><Residue name='NA'><Atom "
      "name='NA' type='I' charge='1'/></Residue></Residues><HarmonicBondForce><Bond class1='OW' class2='HW' length='0.1' "
      "k='1000'/></HarmonicBondForce><HarmonicAngleForce><Angle class1='HW' class2='OW' class3='HW' angle='1.8' k='300'/>"
      "</HarmonicAngleForce><PeriodicTorsionForce ordering='amber'><Proper class1='' class2='OW' class3='HW' class4='' "
      "periodicity1='2' phase1='0' k1='1'/><Improper class1='OW' class2='' class3='' class4='HW' periodicity1='2' "
      "phase1='3.14' k1='1'/></PeriodicTorsionForce><CMAPTorsionForce><Map>0 1 2 3</Map><Torsion map='0' class1='OW' "
      "class2='HW' class3='OW' class4='HW' class5='OW'/></CMAPTorsionForce><NonbondedForce coulomb14scale='0.8' "
      "lj14scale='0.5'><UseAttributeFromResidue name='charge'/><Atom type='O' sigma='0.3' epsilon='0.6'/><Atom type='H' "
      "sigma='1' epsilon='0'/><Atom class='NA' sigma='0.2' epsilon='0.1'/></NonbondedForce></ForceField>\n");
}

void inputs(const Seeds& seeds) {
  const std::string head = "version: 1\nsystem: {topology: a.prmtop, coordinates: a.rst7}\n";
  seeds.text("yaml", "short.yaml", head + "stages:\n  - {name: nvt, time: 1 ns}\n");
  seeds.text("yaml", "empty.yaml", head + "free_energy: []\nstages: []\nforces: {}\ncompute: {devices: [0, 1]}\n");
  seeds.text("yaml", "wrong.yaml", head + "title: &t 'x'\noutput: {every: 10 ps}\ndynamics: {friction: 1 ps-1}\n");
  // With the files that the target has, so that what is made of a good input is tried, too.
  const std::regex topology("topology: *[^,}\\s]+"), coordinates("coordinates: *[^,}\\s]+");
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(UPLIFT_SOURCE_DIR) / "examples")) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path());
    std::string text{std::istreambuf_iterator<char>(in), {}};
    text = std::regex_replace(text, topology, "topology: a.prmtop");
    seeds.text("yaml", entry.path().parent_path().filename().string() + "-" + entry.path().filename().string(),
               std::regex_replace(text, coordinates, "coordinates: a.rst7"));
  }
}

Checkpoint checkpoint() {
  Checkpoint c;
  c.version = "0.1.0", c.input = "version: 1\n", c.stage_name = "nvt";
  c.state.x = {{1, 2, 3}, {4, 5, 6}};
  c.state.v = {{0, 0, 1}, {0, 1, 0}};
  c.state.chain = {0.5, 0.25};
  c.collected["a"] = BiasStatistics{};
  c.state.bias = Bias{};
  return c;
}

void trajectories(const Seeds& seeds) {
  TrajectoryFrame frame;
  frame.box = {{2, 0, 0}, {0, 2, 0}, {0.5, 0, 2}};
  for (int i = 0; i < 12; ++i) frame.x.push_back({0.1 * i, 0.02 * i * i, 1.5 - 0.1 * i});
  Topology topology;
  topology.residues.push_back({"ALA", 1, "A", 0, 12});
  for (int i = 0; i < 12; ++i) topology.atoms.push_back({"C" + std::to_string(i), "C", 6, 12.011, 0});
  const System system = bare_system(topology);
  FrameWriterOptions options;
  options.system = &system;
  const std::tuple<const char*, const char*, TrajectoryFormat> all[] = {
      {"dcd", "a.dcd", TrajectoryFormat::dcd},
      {"xtc", "a.xtc", TrajectoryFormat::xtc},
      {"amber_trajectory", "a.nc", TrajectoryFormat::amber_netcdf},
      {"inpcrd", "a.nc", TrajectoryFormat::amber_netcdf},
      {"pdb_models", "a.pdb", TrajectoryFormat::pdb}};
  for (const auto& [target, name, format] : all) {
    auto writer = create_trajectory(seeds.place(target, name), format, frame, options);
    for (int n = 0; n < 3; ++n) {
      frame.step = n;
      frame.time = 0.5 * n;
      frame.x[0].x += 0.01;
      writer->write(frame);
    }
    writer->close();
  }
  seeds.text("pdb_models", "one.pdb", test::dipeptide_pdb);
  seeds.text("h5md", "bytes", std::string(300, '\x01'));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    const Seeds seeds{argv[1]};
    amber(seeds);
    gromacs_and_charmm(seeds);
    structures(seeds);
    inputs(seeds);
    Checkpoint c = checkpoint();
    write_checkpoint(seeds.place("checkpoint", "a.upc"), c);
    c.descent.emplace();
    c.descent->force = c.state.v;
    c.descent->slots = {3};
    c.descent->step = c.descent->change = {{1, 2, 3, 4, 5, 6}};
    c.descent->products.assign(DescentMemory::vectors * DescentMemory::vectors, 0.5);
    write_checkpoint(seeds.place("checkpoint", "minimisation.upc"), c);
    trajectories(seeds);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "fuzz_seeds: %s\n", e.what());
    return 1;
  }
  return 0;
}
