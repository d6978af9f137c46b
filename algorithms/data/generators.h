// What the generators share: sizes and natural owners. Pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "algorithms/data/source.h"

namespace skiff {

// clients x samples_per_client; std::invalid_argument if the number of clients is not given or the
// rows would not fit into memory (4 bytes a feature, 64 GB) or into a row number.
std::size_t generated_rows(int clients, int samples_per_client, int width);

// Owner of row i: i / each, named "writer-0", "writer-1", ...
void name_owners(LoadedData& data, int clients, std::size_t each, const std::string& noun);

// Appends `n` uninitialised rows of `owner` (-1 = nobody) and returns the first one's number.
int append_rows(Samples& samples, std::vector<std::int32_t>& owners, std::size_t n,
                std::int32_t owner);

}  // namespace skiff
