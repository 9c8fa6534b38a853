#include "uplift/core/resources.hpp"

#include <cstdlib>

#include "uplift/core/error.hpp"

namespace uplift {

namespace fs = std::filesystem;

std::vector<fs::path> share_folders() {
  if (const char* given = std::getenv("UPLIFT_SHARE"); given && *given) return {given};
  std::vector<fs::path> folders;
  std::error_code error;
  if (const fs::path program = fs::read_symlink("/proc/self/exe", error); !error)
    folders.push_back((program.parent_path() / ".." / "share" / "uplift").lexically_normal());
  folders.emplace_back(UPLIFT_INSTALLED_SHARE);
  return folders;
}

fs::path resource(const std::string& name) {
  std::string tried;
  std::error_code error;
  for (const fs::path& folder : share_folders()) {
    if (fs::exists(folder / name, error)) return folder / name;
    tried += (tried.empty() ? "" : " nor in ") + folder.string();
  }
  throw InputError(name + ", which comes with uplift, is not in " + tried +
                   "; set UPLIFT_SHARE to the folder share/uplift of the installation");
}

std::string documentation(const std::string& page) {
  std::error_code error;
  for (const fs::path& folder : share_folders())
    if (const fs::path path = folder / "docs" / page; fs::exists(path, error)) return path.string();
  return "docs/" + page;
}

}  // namespace uplift
