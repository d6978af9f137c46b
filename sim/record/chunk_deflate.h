// Compresses one chunk of a column into what HDF5's own shuffle and deflate filters read.
//
// The stream is plain zlib (RFC 1950, 1951); only the choice of blocks is ours. After the shuffle a
// column of a simulation is a few byte planes that never change, a few that are noise, and the rest
// in between: the first become a run, the second are stored, the third get their own Huffman code
// with runs. That takes about a seventh of the time of zlib at level 1 for about the same size.
// Same input, same bytes. Not thread-safe: the buffers are used again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace skiff {

class ChunkDeflate {
 public:
  // `chunk`: whole elements of `element_size` bytes, little-endian, at most 65,535 of them. The
  // result is valid until the next call.
  std::span<const std::byte> encode(std::span<const std::byte> chunk, std::size_t element_size);

 private:
  void shuffle(std::span<const std::byte> chunk, std::size_t element_size);
  void put(std::uint32_t bits, int count);
  void align();
  void put_run(std::uint8_t value, std::size_t length);
  void put_stored(std::span<const std::uint8_t> plane);
  void put_huffman(std::span<const std::uint8_t> plane);

  std::vector<std::uint8_t> planes_;
  std::vector<std::uint16_t> tokens_;
  std::vector<std::byte> out_;
  std::uint64_t held_ = 0;  // bits not yet in out_
  int held_bits_ = 0;
};

}  // namespace skiff
