// A device class in full: every number with its source and how sure it is.
#pragma once

#include <string>

#include "devices/profile.h"

namespace skiff::cli {

std::string device_text(const DeviceProfile& device);

}  // namespace skiff::cli
