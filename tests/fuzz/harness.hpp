#pragma once
// What fuzz targets share. A finding is a crash, a sanitizer's report, more than five seconds of processor time, more than a
// gigabyte (run.sh), and any exception but InputError.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "uplift/core/error.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/io/amber_writer.hpp"
#include "uplift/io/frames.hpp"

namespace uplift::fuzz {

/// Readers take paths: a folder of this process, in memory where there is /dev/shm.
inline const std::filesystem::path& folder() {
  struct Folder {
    std::filesystem::path path;
    Folder() {
      std::error_code none;
      const bool shm = std::filesystem::is_directory("/dev/shm", none);
      path = (shm ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path()) /
             ("uplift-fuzz-" + std::to_string(getpid()));
      std::filesystem::create_directories(path);
    }
    ~Folder() {
      std::error_code none;
      std::filesystem::remove_all(path, none);
    }
  };
  static const Folder made;
  return made.path;
}

inline std::string file(const std::string& name, std::string_view bytes) {
  std::string path = (folder() / name).string();
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

inline std::string_view view(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

/// Runs `read`, which may refuse its input. Processor time, because a busy machine may let a process wait for seconds.
template <class Read>
int accept(Read read) {
  const struct Watch {
    std::clock_t start = std::clock();
    ~Watch() {
      if (std::clock() - start < 5 * CLOCKS_PER_SEC) return;
      std::fputs("more than 5 s of processor time\n", stderr);
      std::abort();
    }
  } watch;
  try {
    read();
  } catch (const InputError&) {
  } catch (const std::exception& e) {
    std::fprintf(stderr, "not an InputError: %s\n", e.what());
    std::abort();
  }
  return 0;
}

/// A prmtop of it, if one can hold it, must be one that can be read. Throws InputError when none can.
inline void write_and_read(const TopologyFile& t) {
  const std::string path = (folder() / "written.prmtop").string();
  write_prmtop(path, t.topology, t.force_field, t.box);
  try {
    read_prmtop(path);
  } catch (const InputError& e) {
    throw std::logic_error(std::string("what was written is not read: ") + e.what());
  }
}

/// Everything that a trajectory hands out, of its first frames.
inline void read_all(FrameReader& reader) {
  TrajectoryFrame frame;
  const std::uint64_t frames = std::min<std::uint64_t>(reader.frames(), 16);
  for (std::uint64_t n = 0; n < frames; ++n)
    accept([&] {
      reader.time(n);
      reader.read(n, frame);
      if (frame.x.size() != static_cast<std::size_t>(reader.atoms())) throw std::logic_error("a frame of another size");
    });
  reader.system();
}

}  // namespace uplift::fuzz

/// A target for a reader that takes one file: `NAME` is what the file is called, `READ` gets its `path`.
#define UPLIFT_FUZZ_FILE(NAME, READ)                                                     \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {    \
    return uplift::fuzz::accept([&] {                                                    \
      const std::string path = uplift::fuzz::file(NAME, uplift::fuzz::view(data, size)); \
      READ;                                                                              \
    });                                                                                  \
  }
