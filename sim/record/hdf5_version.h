// Version of the HDF5 library in use, "1.10.8".
#pragma once

#include <string>

namespace skiff {

std::string hdf5_version();

}  // namespace skiff
