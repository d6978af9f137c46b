#include "sim/record/space_reserve.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sim/core/error.h"

namespace skiff {

SpaceReserve::SpaceReserve(const std::filesystem::path& folder) {
  const auto refuse = [&](const char* reason) {
    throw RunError(fmt::format("{}: {}; a run needs at least {} MB", folder.string(), reason,
                               kSpaceReserve / 1'000'000));
  };
  if (!within_file_limit(0)) refuse("the limit of file sizes (ulimit -f) is too small");
  file_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file_ < 0) {  // some file systems know no unnamed files
    std::string name = (folder / ".reserve-XXXXXX").string();
    file_ = ::mkstemp(name.data());
    if (file_ < 0) return;  // creating the real file will tell why
    ::unlink(name.c_str());
  }
  const int error = ::posix_fallocate(file_, 0, static_cast<off_t>(kSpaceReserve));
  if (error == 0) return;
  release();
  if (error == ENOSPC || error == EDQUOT) refuse(std::strerror(error));
}

void SpaceReserve::release() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

bool within_file_limit(std::size_t size) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return true;
  return size + kSpaceReserve < limit.rlim_cur;
}

}  // namespace skiff
