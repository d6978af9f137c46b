// The shuffle filter of HDF5: first all lowest bytes of a chunk's elements, then all second ones...
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace skiff {

// `out` is as long as `chunk`; its plane b begins at b * (chunk.size() / element_size).
void split_into_byte_planes(std::span<const std::byte> chunk, std::size_t element_size,
                            std::span<std::uint8_t> out);

}  // namespace skiff
