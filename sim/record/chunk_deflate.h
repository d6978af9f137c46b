// Compresses one chunk of a column into what HDF5's own shuffle and deflate filters read.
//
// The stream is plain zlib (RFC 1950, 1951); only the choice of blocks is ours. After the shuffle a
// column of a simulation is a few byte planes that never change, a few that are noise, and the rest
// in between: the first become a run, the second are stored, the third get their own Huffman code
// with runs. That takes about a tenth of the time of zlib at level 1 for about the same size.
// Same input, same bytes. Not thread-safe: the buffers are used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace skiff {

// Bits from the lowest on, as deflate packs them, into memory that has 8 bytes to spare.
class BitWriter {
 public:
  explicit BitWriter(std::byte* begin = nullptr) : end_(begin) {}
  // At most 57 bits at once.
  void put(std::uint64_t bits, int count) {
    held_ |= bits << held_bits_;
    held_bits_ += count;
    std::memcpy(end_, &held_, 8);  // the bytes that are not whole yet are written again later
    const int whole = held_bits_ & 56;
    end_ += whole / 8;
    held_ >>= whole;
    held_bits_ -= whole;
  }
  void align() {
    if (held_bits_ > 0) put(0, 8 - held_bits_);
  }
  void put_bytes(std::span<const std::uint8_t> bytes) {  // after align()
    std::memcpy(end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  std::byte* end() const { return end_; }

 private:
  std::byte* end_;
  std::uint64_t held_ = 0;  // fewer than 8 bits between calls
  int held_bits_ = 0;
};

class ChunkDeflate {
 public:
  // `chunk`: whole elements of `element_size` bytes, little-endian, at most 32,767 of them. The
  // result is valid until the next call.
  std::span<const std::byte> encode(std::span<const std::byte> chunk, std::size_t element_size);

 private:
  void put_plane(std::span<const std::uint8_t> plane);
  void put_run(std::uint8_t value, std::size_t length);
  void put_stored(std::span<const std::uint8_t> plane);
  void put_values(std::span<const std::uint8_t> plane);
  void put_values_and_runs(std::span<const std::uint8_t> plane);
  std::size_t tokenise(std::span<const std::uint8_t> plane, std::span<std::uint32_t> frequency);

  std::vector<std::uint8_t> planes_;
  std::vector<std::uint16_t> tokens_;
  std::vector<std::byte> out_;
  BitWriter writer_;
};

}  // namespace skiff
