#include "sim/cli/home.h"

#include <cstdlib>

namespace skiff::cli {

void find_home() { setenv("SKIFF_HOME", SKIFF_SOURCE_DIR, 0); }

std::string home() {
  const char* folder = std::getenv("SKIFF_HOME");
  return folder != nullptr ? folder : SKIFF_SOURCE_DIR;
}

}  // namespace skiff::cli
