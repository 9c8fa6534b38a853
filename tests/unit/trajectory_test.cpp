#include "uplift/io/trajectory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <tuple>

#include "package/sample_system.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/info.hpp"

namespace {

using namespace uplift;
using testing::HasSubstr;

const Provenance provenance{"a title", "1.2.3", "version: 1\n"};

struct Trajectory : testing::Test {
  std::string path =
      (std::filesystem::temp_directory_path() /
       ("uplift-" + std::to_string(::getpid()) + "-" + testing::UnitTest::GetInstance()->current_test_info()->name() + ".h5md"))
          .string();
  System system = sample::make_system(5);
  ~Trajectory() override { std::filesystem::remove(path); }

  void write_frames(TrajectoryWriter& writer, const std::string& kind, int first, int last, const System& of) {
    for (int frame = first; frame < last; ++frame) {
      const std::vector<Vec3d> x = sample::positions(of.size(), frame);
      writer.write({10 * frame, 0.02 * frame, sample::box(kind, frame), x, x, x});
    }
  }
  TrajectoryWriter make(const std::string& kind, int frames, const TrajectoryOptions& options = {}) {
    TrajectoryWriter writer = TrajectoryWriter::create(path, system, sample::box(kind, 0), options, provenance);
    write_frames(writer, kind, 0, frames, system);
    return writer;
  }
};

TEST_F(Trajectory, FollowsH5md) {
  TrajectoryOptions options;
  options.velocities = options.forces = true;
  make("triclinic", 3, options);
  const h5::File file = h5::File::read(path);
  EXPECT_EQ(file.open_group("particles").names(), std::vector<std::string>{"trajectory"});
  EXPECT_FALSE(file.contains("observables"));
  EXPECT_EQ(file.open_group("h5md/creator").text("name"), "uplift");
  EXPECT_EQ(file.open_group("h5md/creator").text("version"), "1.2.3");
  EXPECT_EQ(file.open_group("h5md/author").text("name"), "N/A");
  EXPECT_EQ(file.open_group("h5md/modules/units").text("system"), "SI");
  const h5::Group group = file.open_group("particles/trajectory");
  const auto n = static_cast<std::uint64_t>(system.size());
  for (const char* name : {"position", "velocity", "force"}) {
    const h5::Dataset value = group.dataset(std::string(name) + "/value");
    EXPECT_EQ(value.shape(), (h5::Shape{3, n, 3})) << name;
    EXPECT_EQ(value.chunk().at(1), n) << "chunks hold whole frames";
    EXPECT_EQ(value.chunk().at(2), 3u);
  }
  for (const char* name : {"velocity", "force", "box/edges"})
    for (const char* part : {"/step", "/time"})
      EXPECT_EQ(group.dataset(std::string(name) + part).address(), group.dataset(std::string("position") + part).address())
          << name << part;
  EXPECT_EQ(group.dataset("position/value").text("unit"), "nm");
  EXPECT_EQ(group.dataset("velocity/value").text("unit"), "nm ps-1");
  EXPECT_EQ(group.dataset("force/value").text("unit"), "kJ mol-1 nm-1");
  EXPECT_EQ(group.dataset("position/time").text("unit"), "ps");
  EXPECT_EQ(group.dataset("box/edges/value").text("unit"), "nm");
  EXPECT_EQ(group.open_group("box").number("dimension"), 3);
  EXPECT_EQ(group.open_group("box").text("boundary"), "periodic");
  EXPECT_EQ(group.dataset("position/step").read<std::int64_t>(), (std::vector<std::int64_t>{0, 10, 20}));
  EXPECT_EQ(group.dataset("position/time").read<double>(), (std::vector<double>{0, 0.02, 0.04}));
  const Box last = sample::box("triclinic", 2);
  EXPECT_EQ(group.dataset("box/edges/value").read<double>(2, 1),
            (std::vector<double>{last.a.x, 0, 0, last.b.x, last.b.y, 0, last.c.x, last.c.y, last.c.z}));
}

// Every unit attribute of the file, wherever it is: h5py hands out only variable-length strings as str.
TEST_F(Trajectory, EveryUnitIsVariableLengthText) {
  TrajectoryOptions options;
  options.velocities = options.forces = true;
  make("orthorhombic", 1, options);
  const h5::File file = h5::File::read(path);
  int units = 0;
  const auto visit = [](hid_t root, const char* name, const auto*,
                        void* out) -> herr_t {  // its type has changed with HDF5 1.12
    const hid_t object = H5Oopen(root, name, H5P_DEFAULT);
    if (H5Aexists(object, "unit") > 0) {
      const hid_t attribute = H5Aopen(object, "unit", H5P_DEFAULT), type = H5Aget_type(attribute);
      EXPECT_GT(H5Tis_variable_str(type), 0) << name;
      EXPECT_EQ(H5Tget_cset(type), H5T_CSET_UTF8) << name;
      ++*static_cast<int*>(out);
      H5Tclose(type);
      H5Aclose(attribute);
    }
    H5Oclose(object);
    return 0;
  };
  ASSERT_GE(H5Ovisit2(file.id(), H5_INDEX_NAME, H5_ITER_NATIVE, visit, &units, H5O_INFO_BASIC), 0);
  EXPECT_GE(units, 10);
}

TEST_F(Trajectory, DescribesItself) {
  make("orthorhombic", 1);
  const h5::File file = h5::File::read(path);
  const h5::Group topology = file.open_group("parameters/topology");
  EXPECT_EQ(topology.dataset("atom_name").read_text().at(4), "HB11");
  EXPECT_EQ(topology.dataset("residue_name").read_text(),
            (std::vector<std::string>{"ALA", "NME", "Na+", "WAT", "WAT", "WAT", "WAT", "WAT"}));
  EXPECT_EQ(topology.dataset("mass_input").read<double>(1, 1)[0], 1.008);
  EXPECT_EQ(topology.dataset("mass").read<double>(1, 1)[0], 3.024);
  EXPECT_EQ(topology.dataset("charge").read<double>(), system.force_field.charges);
  EXPECT_EQ(file.dataset("parameters/input").read_text().at(0), "version: 1\n");
  const std::vector<std::int32_t> bonds = file.dataset("connectivity/bonds").read<std::int32_t>();
  ASSERT_EQ(bonds.size(), 2 * system.topology.bonds.size());
  EXPECT_EQ(bonds[8], 2);
  EXPECT_EQ(bonds[9], 5);
  hobj_ref_t reference{};
  const hid_t dataset = H5Dopen2(file.id(), "connectivity/bonds", H5P_DEFAULT),
              attribute = H5Aopen(dataset, "particles_group", H5P_DEFAULT);
  ASSERT_GE(H5Aread(attribute, H5T_STD_REF_OBJ, &reference), 0);
  char target[64] = {};
  H5Rget_name(file.id(), H5R_OBJECT, &reference, target, sizeof target);
  EXPECT_STREQ(target, "/particles/trajectory");
  H5Aclose(attribute);
  H5Dclose(dataset);
}

// The plugin's rules: bonds from 1; resname and chain looked up by resid; name and radius by species; fixed-length strings.
TEST_F(Trajectory, CarriesWhatVmdLooksFor) {
  make("orthorhombic", 1);
  const h5::File file = h5::File::read(path);
  const h5::Group vmd = file.open_group("parameters/vmd_structure");
  const auto species = file.dataset("particles/trajectory/species").read<std::int32_t>();
  const auto index = vmd.dataset("indexOfSpecies").read<std::int32_t>();
  EXPECT_EQ(std::set<std::int32_t>(species.begin(), species.end()), std::set<std::int32_t>(index.begin(), index.end()));
  EXPECT_EQ(vmd.dataset("name").rows(), index.size());
  const auto resid = vmd.dataset("resid").read<std::int32_t>();
  const auto resname = vmd.dataset("resname").read_text();
  for (std::size_t i = 0; i < resid.size(); ++i)
    EXPECT_EQ(resname.at(static_cast<std::size_t>(resid[i])),
              system.topology.residues[static_cast<std::size_t>(system.topology.atoms[i].residue)].name);
  EXPECT_EQ(vmd.dataset("bond_from").read<std::int32_t>(0, 1)[0], 1);
  EXPECT_EQ(vmd.dataset("bond_to").read<std::int32_t>(0, 1)[0], 2);
  EXPECT_EQ(vmd.dataset("segid").rows(), static_cast<std::uint64_t>(system.size()));
}

TEST_F(Trajectory, OpenSpaceHasNoEdges) {
  make("open", 2);
  const h5::File file = h5::File::read(path);
  EXPECT_EQ(file.open_group("particles/trajectory/box").text("boundary"), "none");
  EXPECT_FALSE(file.contains("particles/trajectory/box/edges"));
}

TEST_F(Trajectory, SubsetIsRenumbered) {
  TrajectoryOptions options;
  options.atoms = {0, 2, 5, 6, 11, 12, 13};
  make("orthorhombic", 2, options);
  const h5::File file = h5::File::read(path);
  const std::vector<double> x = file.dataset("particles/trajectory/position/value").read<double>(1, 1);
  const std::vector<Vec3d> all = sample::positions(system.size(), 1);
  ASSERT_EQ(x.size(), 3 * options.atoms.size());
  for (std::size_t i = 0; i < options.atoms.size(); ++i)
    EXPECT_EQ(x[3 * i], static_cast<float>(all[static_cast<std::size_t>(options.atoms[i])].x));
  EXPECT_EQ(file.dataset("connectivity/bonds").read<std::int32_t>(), (std::vector<std::int32_t>{0, 1, 1, 2, 2, 3, 5, 6}));
  EXPECT_EQ(file.dataset("parameters/topology/residue_name").read_text(), (std::vector<std::string>{"ALA", "Na+", "WAT"}));
}

TEST_F(Trajectory, RoundingStaysWithinHalfTheAskedPrecision) {
  TrajectoryOptions options;
  options.position_precision = 1e-4;
  system = sample::make_system(1000);
  make("orthorhombic", 2, options);
  const h5::File file = h5::File::read(path);
  const h5::Dataset value = file.dataset("particles/trajectory/position/value");
  EXPECT_EQ(value.deflate_level(), 1);
  EXPECT_EQ(value.chunk().at(0), 1u);
  const std::vector<double> x = value.read<double>(1, 1);
  const std::vector<Vec3d> exact = sample::positions(system.size(), 1);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    // Half a grid step, and half a unit in the last place of a float for coordinates too large for the grid.
    for (auto [stored, wanted] : {std::pair{x[3 * i], exact[i].x}, {x[3 * i + 1], exact[i].y}, {x[3 * i + 2], exact[i].z}})
      ASSERT_LE(std::abs(stored - wanted), 0.5e-4 + 0.5 * std::abs(wanted) * 1.2e-7);
  }
}

TEST_F(Trajectory, TrimmedAndContinuedEqualsUninterrupted) {
  TrajectoryOptions options;
  options.velocities = true;
  make("triclinic", 9, options);
  const auto content = [&] {
    const h5::File file = h5::File::read(path);
    const h5::Group g = file.open_group("particles/trajectory");
    return std::tuple(g.dataset("position/value").read<float>(), g.dataset("velocity/value").read<float>(),
                      g.dataset("box/edges/value").read<double>(), g.dataset("position/step").read<std::int64_t>(),
                      g.dataset("position/time").read<double>());
  };
  const auto whole = content();
  {
    TrajectoryWriter writer = TrajectoryWriter::append(path, system, sample::box("triclinic", 0), options);
    EXPECT_EQ(writer.frames(), 9);
    EXPECT_EQ(writer.last_step(), 80);
    writer.trim_after(45);
    EXPECT_EQ(writer.frames(), 5);
    EXPECT_EQ(writer.last_step(), 40);
    write_frames(writer, "triclinic", 5, 9, system);
    EXPECT_THROW(write_frames(writer, "triclinic", 8, 9, system), std::logic_error) << "steps must increase";
  }
  EXPECT_EQ(content(), whole);
  TrajectoryWriter writer = TrajectoryWriter::append(path, system, sample::box("triclinic", 0), options);
  writer.trim_after(-1);
  EXPECT_EQ(writer.frames(), 0);
  EXPECT_EQ(writer.last_step(), std::nullopt);
}

TEST_F(Trajectory, AnotherRunsFileIsNotContinued) {
  make("orthorhombic", 2);
  const Box box = sample::box("orthorhombic", 0);
  TrajectoryOptions velocities;
  velocities.velocities = true;
  EXPECT_THROW(TrajectoryWriter::append(path, system, box, velocities), InputError);
  EXPECT_THROW(TrajectoryWriter::append(path, system, Box{}, {}), InputError);
  EXPECT_THROW(TrajectoryWriter::append(path, sample::make_system(6), box, {}), InputError);
  EXPECT_NO_THROW(TrajectoryWriter::append(path, system, box, {}));
}

// A child writes as fast as it can and says which frames were flushed; it is killed somewhere. Everything that it said must be
// there, and the file must be fit to go on with.
TEST_F(Trajectory, KilledWriterLeavesAReadableFile) {
  for (int kill_after : {1, 2, 3, 5, 8, 40, 41, 42, 130, 131, 300}) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      try {
        TrajectoryWriter writer = TrajectoryWriter::create(path, system, sample::box("triclinic", 0), {}, provenance);
        for (int frame = 0;; ++frame) {
          write_frames(writer, "triclinic", frame, frame + 1, system);
          writer.flush();
          if (::write(ends[1], &frame, sizeof frame) != sizeof frame) ::_exit(1);
        }
      } catch (...) {
        ::_exit(2);
      }
    }
    ::close(ends[1]);
    int flushed = -1;
    while (flushed < kill_after && ::read(ends[0], &flushed, sizeof flushed) == sizeof flushed) {
    }
    ::kill(child, SIGKILL);
    int more = 0, status = 0;
    while (::read(ends[0], &more, sizeof more) == sizeof more) flushed = more;
    ::close(ends[0]);
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_GE(flushed, kill_after);
    {
      const h5::File file = h5::File::read(path);
      const h5::Dataset value = file.dataset("particles/trajectory/position/value");
      ASSERT_GT(file.dataset("particles/trajectory/position/step").rows(), static_cast<std::uint64_t>(flushed));
      for (int frame = 0; frame <= flushed; ++frame)
        ASSERT_EQ(value.read<float>(static_cast<std::uint64_t>(frame), 1)[0], static_cast<float>(0.01 * frame))
            << "frame " << frame;
    }
    EXPECT_THAT(describe_file(path), HasSubstr("frames"));
    TrajectoryWriter writer = TrajectoryWriter::append(path, system, sample::box("triclinic", 0), {});
    writer.trim_after(10 * flushed);
    EXPECT_EQ(writer.frames(), flushed + 1);
    write_frames(writer, "triclinic", flushed + 1, flushed + 3, system);
  }
}

TEST_F(Trajectory, InfoTellsWhatIsInside) {
  make("orthorhombic", 4);
  const std::string text = describe_file(path);
  for (const char* part :
       {"H5MD trajectory", "a title", "32", "0 to 30", "every 0.02 ps", "position [nm]", "3.00000 x 4.00000 x 5.00000 nm"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THROW(describe_file(path + ".absent"), InputError);
}

}  // namespace
