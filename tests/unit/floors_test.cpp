// The house keeps its floors: includes only go down, formulas see nothing but the core, oracles never see the formulas.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct Place {
  const char* prefix;  // of a path below the source folder, or of an include
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

/// An include as a path below the source folder; empty when it is not ours.
std::string resolve(const std::string& include) {
  if (include.rfind("uplift/", 0) == 0) return "include/" + include;
  if (include.rfind("physics/", 0) == 0 || include.rfind("cpu/", 0) == 0 || include.rfind("cuda/", 0) == 0 ||
      include.rfind("simt/", 0) == 0)
    return "kernels/" + include;
  return {};
}

std::vector<std::pair<std::string, std::string>> includes_below(const std::string& folder) {
  const fs::path root(UPLIFT_SOURCE_DIR);
  const std::regex line_pattern(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::vector<std::pair<std::string, std::string>> found;
  if (!fs::exists(root / folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const std::string suffix = entry.path().extension();
    if (suffix != ".hpp" && suffix != ".cpp" && suffix != ".cu" && suffix != ".cuh") continue;
    std::ifstream in(entry.path());
    std::smatch match;
    for (std::string line; std::getline(in, line);)
      if (std::regex_search(line, match, line_pattern)) found.emplace_back(fs::relative(entry.path(), root).string(), match[1]);
  }
  return found;
}

TEST(Floors, IncludesOnlyGoDown) {
  int checked = 0;
  for (const char* folder : {"include", "kernels", "src"})
    for (const auto& [file, include] : includes_below(folder)) {
      const int from = floor_of(file), to = floor_of(resolve(include));
      if (from < 0 || to < 0) continue;
      ++checked;
      EXPECT_LE(to, from) << file << " (floor " << from << ") includes " << include << " (floor " << to << ")";
    }
  EXPECT_GT(checked, 100);
}

TEST(Floors, FormulasSeeOnlyTheCore) {
  for (const auto& [file, include] : includes_below("kernels/physics")) {
    const std::string target = resolve(include);
    if (target.empty()) continue;
    EXPECT_TRUE(target.rfind("include/uplift/core/", 0) == 0 || target.rfind("kernels/physics/", 0) == 0)
        << file << " includes " << include;
  }
}

TEST(Floors, BackendsNeverSeeEachOther) {
  for (const char* folder : {"kernels/cpu", "src/backend/cpu", "include/uplift/backend/cpu"})
    for (const auto& [file, include] : includes_below(folder))
      EXPECT_TRUE(include.find("cuda/") == std::string::npos && include.find("simt/") == std::string::npos)
          << file << " includes " << include;
  for (const char* folder : {"kernels/cuda", "src/backend/cuda", "include/uplift/backend/cuda"})
    for (const auto& [file, include] : includes_below(folder))
      EXPECT_EQ(include.find("cpu/"), std::string::npos) << file << " includes " << include;
}

TEST(Floors, OraclesNeverSeeTheFormulas) {
  const auto includes = includes_below("tests/oracle");
  EXPECT_FALSE(includes.empty());
  for (const auto& [file, include] : includes) {
    EXPECT_NE(include.rfind("physics/", 0), 0u) << file << " includes " << include;
    EXPECT_NE(include.rfind("cpu/", 0), 0u) << file << " includes " << include;
  }
}

TEST(Floors, OnlyTheAppNamesABackend) {
  for (const char* folder :
       {"src/engine", "include/uplift/engine", "src/io", "include/uplift/io", "src/model", "include/uplift/model"})
    for (const auto& [file, include] : includes_below(folder))
      EXPECT_TRUE(include.find("backend/cpu") == std::string::npos && include.find("backend/cuda") == std::string::npos)
          << file << " includes " << include;
}

}  // namespace
