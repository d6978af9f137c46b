#include "sim/cli/version_text.h"

#include <fmt/core.h>
#include <skiff_version.h>
#include <tbb/version.h>
#include <zlib.h>

#include <boost/version.hpp>
#include <fstream>

#include "sim/record/hdf5_version.h"

namespace skiff::cli {

std::vector<std::pair<std::string, std::string>> library_versions() {
  return {{"boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                                BOOST_VERSION % 100)},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                              FMT_VERSION % 100)},
          {"hdf5", hdf5_version()},
          {"onetbb", fmt::format("{}.{}", TBB_VERSION_MAJOR, TBB_VERSION_MINOR)},
          {"zlib", ZLIB_VERSION}};
}

std::string version_text() {
  std::string text =
      fmt::format("skiff {} ({})\n{} {} {}\n", kVersion, kGitCommit, kCompiler, kBuildType, kArch);
  std::string libraries;
  for (const auto& [name, version] : library_versions()) {
    libraries += (libraries.empty() ? "" : ", ") + name + " " + version;
  }
  return text + libraries + "\n";
}

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace skiff::cli
