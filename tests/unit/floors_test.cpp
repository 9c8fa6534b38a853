// The house keeps its floors: includes only go down, formulas see nothing but the core, oracles never see the formulas.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <regex>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct Place {
  const char* prefix;  // of a path below the source folder
  int floor;
};
// Longest prefix first.
const std::vector<Place> places = {
    {"include/uplift/backend/cpu/", 4},
    {"include/uplift/backend/cuda/", 4},
    {"include/uplift/core/", 0},
    {"include/uplift/data/", 1},
    {"include/uplift/model/", 2},
    {"include/uplift/io/", 3},
    {"include/uplift/backend/", 3},
    {"include/uplift/domain/", 5},
    {"include/uplift/engine/", 6},
    {"include/uplift/sampling/", 6},
    {"kernels/physics/", 1},
    {"kernels/cpu/", 4},
    {"src/core/", 0},
    {"src/model/", 2},
    {"src/io/", 3},
    {"src/build/", 4},
    {"include/uplift/build/", 4},
    {"src/pictures/", 3},
    {"include/uplift/pictures/", 3},
    {"src/backend/cpu/", 4},
    {"src/backend/cuda/", 4},
    {"src/backend/simt/", 4},
    {"kernels/cuda/", 4},
    {"kernels/simt/", 4},
    {"src/backend/", 3},
    {"src/domain/", 5},
    {"src/engine/", 6},
    {"src/sampling/", 6},
    {"src/app/", 7},
};

int floor_of(const std::string& path) {
  for (const Place& place : places)
    if (path.rfind(place.prefix, 0) == 0) return place.floor;
  return -1;
}

struct Include {
  std::string file, name;  ///< where it stands, below the source folder, and as it is written
  bool quoted;
  std::string target;  ///< the file that is meant, below the source folder; empty: none of ours
};

/// Made by the build.
const std::vector<std::string> generated = {"draw_script.hpp"};

std::string resolve(const std::string& file, const std::string& name, bool quoted) {
  const fs::path root(UPLIFT_SOURCE_DIR);
  std::vector<fs::path> folders{"include", "kernels"};
  if (quoted) {
    folders.insert(folders.begin(), {fs::path(file).parent_path(), "src"});
    if (file.rfind("tests/", 0) == 0) folders.push_back("tests");
  }
  for (const fs::path& folder : folders) {
    const fs::path target = (folder / name).lexically_normal();
    if (fs::is_regular_file(root / target)) return target.string();
  }
  return {};
}

std::vector<Include> includes_below(const std::string& folder) {
  const fs::path root(UPLIFT_SOURCE_DIR);
  const std::regex line_pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  if (!fs::exists(root / folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const std::string suffix = entry.path().extension();
    if (suffix != ".hpp" && suffix != ".cpp" && suffix != ".cu" && suffix != ".cuh") continue;
    const std::string file = fs::relative(entry.path(), root).string();
    std::ifstream in(entry.path());
    std::smatch match;
    for (std::string line; std::getline(in, line);)
      if (std::regex_search(line, match, line_pattern)) {
        const bool quoted = match[1] == "\"";
        found.push_back({file, match[2], quoted, resolve(file, match[2], quoted)});
      }
  }
  return found;
}

bool starts_with_any(const std::string& path, std::initializer_list<const char*> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const char* prefix) { return path.rfind(prefix, 0) == 0; });
}
bool of_cpu(const std::string& path) {
  return starts_with_any(path, {"include/uplift/backend/cpu/", "src/backend/cpu/", "kernels/cpu/"});
}
bool of_device(const std::string& path) {
  return starts_with_any(
      path, {"include/uplift/backend/cuda/", "src/backend/cuda/", "src/backend/simt/", "kernels/cuda/", "kernels/simt/"});
}

TEST(Floors, EveryQuotedIncludeIsAFileOfOurs) {
  for (const char* folder : {"include", "kernels", "src", "tests"})
    for (const Include& i : includes_below(folder))
      EXPECT_TRUE(!i.quoted || !i.target.empty() || std::count(generated.begin(), generated.end(), i.name))
          << i.file << " includes " << i.name << ", which is in no folder that is searched here";
}

TEST(Floors, EveryFileHasAFloor) {
  for (const char* folder : {"include", "kernels", "src"})
    for (const Include& i : includes_below(folder)) EXPECT_GE(floor_of(i.file), 0) << i.file;
}

TEST(Floors, IncludesOnlyGoDown) {
  int checked = 0;
  for (const char* folder : {"include", "kernels", "src"})
    for (const Include& i : includes_below(folder)) {
      if (i.target.empty()) continue;
      ++checked;
      const int from = floor_of(i.file), to = floor_of(i.target);
      EXPECT_LE(to, from) << i.file << " (floor " << from << ") includes " << i.name << " (floor " << to << ")";
    }
  EXPECT_GT(checked, 100);
}

TEST(Floors, FormulasSeeOnlyTheCore) {
  for (const Include& i : includes_below("kernels/physics"))
    EXPECT_TRUE(i.target.empty() || starts_with_any(i.target, {"include/uplift/core/", "kernels/physics/"}))
        << i.file << " includes " << i.name;
}

TEST(Floors, BackendsNeverSeeEachOther) {
  for (const char* folder : {"include", "kernels", "src/backend"})
    for (const Include& i : includes_below(folder)) {
      EXPECT_FALSE(of_cpu(i.file) && of_device(i.target)) << i.file << " includes " << i.name;
      EXPECT_FALSE(of_device(i.file) && of_cpu(i.target)) << i.file << " includes " << i.name;
    }
}

TEST(Floors, OraclesNeverSeeTheFormulas) {
  const auto includes = includes_below("tests/oracle");
  EXPECT_FALSE(includes.empty());
  for (const Include& i : includes)
    EXPECT_FALSE(starts_with_any(i.target, {"kernels/", "src/"})) << i.file << " includes " << i.name;
}

TEST(Floors, OnlyTheAppNamesABackend) {
  for (const char* folder : {"include", "src"})
    for (const Include& i : includes_below(folder))
      EXPECT_TRUE(floor_of(i.file) == 7 || of_cpu(i.file) || of_device(i.file) || !(of_cpu(i.target) || of_device(i.target)))
          << i.file << " includes " << i.name;
}

}  // namespace
