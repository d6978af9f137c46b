// Version, commit, compiler and libraries: for --version and /provenance.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace skiff::cli {

std::string version_text();
std::vector<std::pair<std::string, std::string>> library_versions();
std::string cpu_name();  // as the operating system says; "unknown" if it does not

}  // namespace skiff::cli
