// Disk space held back beside a growing file, so that a full disk leaves room to end it well.
#pragma once

#include <cstddef>
#include <filesystem>

namespace skiff {

class SpaceReserve {
 public:
  // Takes `bytes` on the disk of `folder`, in a file without a name: nothing is left behind,
  // however the program ends. Throws a RunError if the disk has no such room. On file systems that
  // cannot reserve, holds nothing.
  SpaceReserve(const std::filesystem::path& folder, std::size_t bytes);
  ~SpaceReserve() { release(); }
  SpaceReserve(const SpaceReserve&) = delete;
  SpaceReserve& operator=(const SpaceReserve&) = delete;

  void release();

 private:
  int file_ = -1;
};

}  // namespace skiff
