// A file's bytes, mapped read-only: nothing is read before it is touched, and what was read can be
// dropped again by the system, so a checkpoint costs no memory of its own.
//
// Immutable; thread-safe. The file must not shrink while it is mapped (SIGBUS, as for any mapping).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace skiff {

class MappedFile {
 public:
  // Throws DataError if there is no such file or it cannot be mapped. Use open() to share it.
  explicit MappedFile(std::string path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  static std::shared_ptr<const MappedFile> open(const std::string& path) {
    return std::make_shared<const MappedFile>(path);
  }

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data_, static_cast<std::size_t>(size_)}; }
  // Throws DataError unless [offset, offset + length) lies inside; `what` it was meant to be.
  std::span<const std::byte> part(std::uint64_t offset, std::uint64_t length,
                                  std::string_view what) const;

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
};
using MappedFilePtr = std::shared_ptr<const MappedFile>;

}  // namespace skiff
