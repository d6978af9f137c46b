#include "sim/record/chunk_deflate.h"

#include <libdeflate.h>

#include "sim/core/error.h"
#include "sim/record/byte_planes.h"

namespace skiff {
namespace {
constexpr int kLevel = 1;
}

void ChunkDeflate::Free::operator()(libdeflate_compressor* compressor) const {
  libdeflate_free_compressor(compressor);
}

ChunkDeflate::ChunkDeflate() : compressor_(libdeflate_alloc_compressor(kLevel)) {
  SKIFF_CHECK(compressor_ != nullptr, "no memory for a compressor");
}

std::span<const std::byte> ChunkDeflate::encode(std::span<const std::byte> chunk,
                                                std::size_t element_size) {
  planes_.resize(chunk.size());
  split_into_byte_planes(chunk, element_size, planes_);
  out_.resize(libdeflate_zlib_compress_bound(compressor_.get(), chunk.size()));
  const std::size_t size = libdeflate_zlib_compress(compressor_.get(), planes_.data(),
                                                    planes_.size(), out_.data(), out_.size());
  SKIFF_CHECK(size > 0, "a chunk did not fit its bound");
  return std::span(out_).first(size);
}

}  // namespace skiff
