#include "algorithms/models/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sim/core/error.h"

namespace skiff {

MappedFile::MappedFile(std::string path) : path_(std::move(path)) {
  const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw DataError(path_, std::strerror(errno));
  struct stat about = {};
  const bool regular = fstat(file, &about) == 0 && S_ISREG(about.st_mode);
  void* address = nullptr;
  if (regular && about.st_size > 0) {
    size_ = static_cast<std::uint64_t>(about.st_size);
    address = mmap(nullptr, static_cast<std::size_t>(size_), PROT_READ, MAP_PRIVATE, file, 0);
  }
  close(file);
  if (!regular) throw DataError(path_, "is not a file");
  if (address == MAP_FAILED) throw DataError(path_, "cannot be mapped into memory");
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    munmap(const_cast<std::byte*>(data_), static_cast<std::size_t>(size_));  // NOLINT
  }
}

std::span<const std::byte> MappedFile::part(std::uint64_t offset, std::uint64_t length,
                                            std::string_view what) const {
  if (offset > size_ || length > size_ - offset) {
    throw DataError(
        path_, static_cast<long long>(std::min(offset, size_)),
        fmt::format("expected {} bytes of {}, the file ends at {}", length, what, size_));
  }
  return bytes().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
}

}  // namespace skiff
