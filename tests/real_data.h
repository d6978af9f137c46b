// Real data sets, which are never part of the repository: tests that need one skip where it is not.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace skiff::test {

// $SKIFF_DATA/name, or ../shared/data/name beside the repository; "" if it is not there.
inline std::string real_data(const std::string& name) {
  const char* data = std::getenv("SKIFF_DATA");
  const char* source = std::getenv("SKIFF_SOURCE");
  std::string folder = data != nullptr ? data : "";
  if (folder.empty()) folder = std::string(source != nullptr ? source : ".") + "/../shared/data";
  const std::string path = folder + "/" + name;
  return std::filesystem::exists(path) ? path : "";
}

}  // namespace skiff::test
