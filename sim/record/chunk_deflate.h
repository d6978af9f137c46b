// Compresses one chunk of a column into what HDF5's own shuffle and deflate filters read.
//
// HDF5 would do the same through zlib; libdeflate writes the same format several times faster, and
// recording attempts is most of what a small simulation does. Same input, same bytes. Not
// thread-safe: the buffers are used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct libdeflate_compressor;

namespace skiff {

class ChunkDeflate {
 public:
  ChunkDeflate();
  // `chunk`: whole elements of `element_size` bytes, little-endian. The result is valid until the
  // next call.
  std::span<const std::byte> encode(std::span<const std::byte> chunk, std::size_t element_size);

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const;
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
  std::vector<std::uint8_t> planes_;
  std::vector<std::byte> out_;
};

}  // namespace skiff
