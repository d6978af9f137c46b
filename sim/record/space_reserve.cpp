#include "sim/record/space_reserve.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sim/core/error.h"

namespace skiff {

SpaceReserve::SpaceReserve(const std::filesystem::path& folder, std::size_t bytes) {
  file_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file_ < 0) {  // some file systems know no unnamed files
    std::string name = (folder / ".reserve-XXXXXX").string();
    file_ = ::mkstemp(name.data());
    if (file_ < 0) return;
    ::unlink(name.c_str());
  }
  const int error = ::posix_fallocate(file_, 0, static_cast<off_t>(bytes));
  if (error == 0) return;
  release();
  if (error == ENOSPC || error == EDQUOT) {
    throw RunError(fmt::format("{}: {}; a run needs at least {} MB", folder.string(),
                               std::strerror(error), bytes / 1'000'000));
  }
}

void SpaceReserve::release() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

}  // namespace skiff
