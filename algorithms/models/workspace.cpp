#include "algorithms/models/workspace.h"

#include <algorithm>
#include <cstdint>

namespace skiff {

void* Workspace::take_bytes(std::size_t n) {
  const std::size_t size = footprint(n);
  while (block_ < blocks_.size() && used_ + size > blocks_[block_].size) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    constexpr std::size_t kLeast = 64 * 1024;
    Block block;
    block.size = std::max(size, kLeast);
    block.memory.reset(new std::byte[block.size + 64]);
    const auto address = reinterpret_cast<std::uintptr_t>(block.memory.get());
    block.begin = block.memory.get() + (64 - address % 64) % 64;
    blocks_.push_back(std::move(block));
    used_ = 0;
  }
  std::byte* place = blocks_[block_].begin + used_;
  used_ += size;
  total_ += size;
  peak_ = std::max(peak_, total_);
  return place;
}

void Workspace::reset() {
  block_ = 0;
  used_ = 0;
  total_ = 0;
}

}  // namespace skiff
