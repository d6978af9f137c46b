// Where skiff's own files are: devices/profiles, analysis/, scenarios/.
#pragma once

#include <string>

namespace skiff::cli {

// Sets $SKIFF_HOME to where skiff was built, unless it is set. Call first in main.
void find_home();
std::string home();

}  // namespace skiff::cli
