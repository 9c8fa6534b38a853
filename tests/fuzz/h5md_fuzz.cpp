// H5MD files whose parts have the wrong shapes, types, units and numbers. Bytes are not changed in the file itself: HDF5's own
// reader would be tested, which is not ours to mend.
#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <vector>

#include "harness.hpp"
#include "uplift/io/h5.hpp"

namespace {

using namespace uplift;

constexpr std::array names{"position", "velocity", "force", "box/edges"};
constexpr std::array units{"nm", "angstrom", "nm ps-1", "kJ mol-1 nm-1", "ps", "fs", "parsec"};

class Maker {
 public:
  Maker(h5::File& file, FuzzedDataProvider& bytes) : file_(file), bytes_(bytes) {}

  void make() {
    const std::string group = bytes_.ConsumeBool() ? "particles/all" : "particles/" + bytes_.ConsumeRandomLengthString(8);
    if (!plain(group)) return;
    atoms_ = bytes_.ConsumeIntegralInRange<std::uint64_t>(0, 4);
    frames_ = bytes_.ConsumeIntegralInRange<std::uint64_t>(0, 4);
    for (const char* name : names)
      if (bytes_.ConsumeIntegralInRange(0, 7) > 2) element(group + "/" + name, std::string(name) == "box/edges");
    if (bytes_.ConsumeBool())
      for (const char* name : {"dihedral_energy", "total_energy", "boost_dihedral", "boost_total"})
        values(std::string("observables/") + name + "/value", {frames_});
    if (bytes_.ConsumeBool()) topology();
  }

 private:
  /// Few shapes are as they should be, and few are not.
  bool odd() { return bytes_.ConsumeIntegralInRange(0, 15) == 7; }
  static bool plain(const std::string& name) {
    return !name.ends_with("/") && name.find('\0') == std::string::npos && name.find("..") == std::string::npos;
  }
  double number() {
    if (bytes_.ConsumeIntegralInRange(0, 15) == 7) return bytes_.ConsumeFloatingPoint<double>();
    return bytes_.ConsumeIntegralInRange(-1, 8);
  }
  h5::Dataset values(const std::string& path, h5::Shape shape) {
    if (odd()) shape.resize(bytes_.ConsumeIntegralInRange<std::size_t>(0, 3), 2);
    if (odd() && !shape.empty()) shape[shape.size() / 2] = bytes_.ConsumeIntegralInRange<std::uint64_t>(0, 5);
    std::uint64_t count = 1;
    for (const std::uint64_t n : shape) count *= n;
    if (odd()) return file_.write_text(path, bytes_.ConsumeRandomLengthString(8));
    if (shape.empty() || count == 0) shape = {count = 1};
    std::vector<double> all(count);
    for (double& value : all) value = number();
    return file_.write<double>(path, all, shape);
  }
  void unit(h5::Object& object, const char* usual) {
    if (odd()) return;
    if (odd()) return object.set("unit", bytes_.ConsumeRandomLengthString(12));
    if (odd()) return object.set("unit", number());
    object.set("unit", odd() ? bytes_.PickValueInArray(units) : usual);
  }
  void counter(const std::string& path, const char* usual) {
    if (odd()) return;
    const bool fixed = bytes_.ConsumeBool();
    h5::Dataset made = values(path, {fixed ? 1 : frames_});
    if (fixed) made.set("offset", number());
    if (usual) unit(made, usual);
  }
  void element(const std::string& path, bool box) {
    if (box && bytes_.ConsumeBool()) {
      h5::Dataset edges = values(path, bytes_.ConsumeBool() ? h5::Shape{3} : h5::Shape{3, 3});
      return unit(edges, "nm");
    }
    const h5::Shape full = bytes_.ConsumeBool() ? h5::Shape{frames_, 3} : h5::Shape{frames_, 3, 3};
    h5::Dataset made = values(path + "/value", box ? full : h5::Shape{frames_, atoms_, 3});
    unit(made, path.ends_with("force") ? "kJ mol-1 nm-1" : path.ends_with("velocity") ? "nm ps-1" : "nm");
    counter(path + "/step", nullptr);
    counter(path + "/time", "ps");
  }
  void texts(const std::string& path, std::uint64_t count) {
    if (odd()) {
      values(path, {count});
      return;
    }
    std::vector<std::string> all(odd() ? 2 : count);
    for (std::string& text : all) text = bytes_.ConsumeRandomLengthString(4);
    if (!all.empty()) file_.write_names(path, all);
  }
  void topology() {
    const std::string path = "parameters/topology/";
    if (bytes_.ConsumeBool()) file_.write_text("parameters/title", bytes_.ConsumeRandomLengthString(8));
    const std::uint64_t residues = bytes_.ConsumeIntegralInRange<std::uint64_t>(0, 3);
    texts(path + "atom_name", atoms_), texts(path + "atom_type", atoms_);
    for (const char* name : {"atom_element", "atom_residue", "mass_input", "mass", "charge"}) values(path + name, {atoms_});
    texts(path + "residue_name", residues), texts(path + "residue_chain", residues);
    values(path + "residue_number", {residues});
    if (bytes_.ConsumeBool()) values(path + "bonds", {bytes_.ConsumeIntegralInRange<std::uint64_t>(0, 3), 2});
  }

  h5::File& file_;
  FuzzedDataProvider& bytes_;
  std::uint64_t atoms_ = 0, frames_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider bytes(data, size);
  const std::string path = (fuzz::folder() / "a.h5md").string();
  try {
    h5::File file = h5::File::create(path);
    Maker(file, bytes).make();
  } catch (const SimulationError&) {  // names that HDF5 does not take, or a second time
    return 0;
  }
  return fuzz::accept([&] { fuzz::read_all(*open_trajectory(path)); });
}
