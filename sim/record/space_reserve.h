// Disk space held back beside a growing file, so that a full disk leaves room to end it well.
#pragma once

#include <cstddef>
#include <filesystem>

namespace skiff {

// More than all buffers of a recorder and HDF5's own metadata can take at once.
inline constexpr std::size_t kSpaceReserve = 8 << 20;

class SpaceReserve {
 public:
  // Takes kSpaceReserve on the disk of `folder`, in a file without a name: nothing is left behind,
  // however the program ends. Throws a RunError if there is no such room, or if files may not grow
  // so large. On file systems that cannot reserve, holds nothing.
  explicit SpaceReserve(const std::filesystem::path& folder);
  ~SpaceReserve() { release(); }
  SpaceReserve(const SpaceReserve&) = delete;
  SpaceReserve& operator=(const SpaceReserve&) = delete;

  void release();

 private:
  int file_ = -1;
};

// Room in a file of `size` bytes under the process's limit of file sizes (ulimit -f) beyond what
// must stay free to end the file well.
bool within_file_limit(std::size_t size);

}  // namespace skiff
