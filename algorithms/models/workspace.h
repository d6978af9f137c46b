// Scratch memory of one worker: a bump allocator that is never read before it was written.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace skiff {

class Workspace {
 public:
  // n elements, 64-byte aligned, valid until reset(). T: float, int or pointers (trivial types).
  template <class T>
  std::span<T> take(std::size_t n) {
    static_assert(alignof(T) <= 64 && std::is_trivially_copyable_v<T>);
    return {static_cast<T*>(take_bytes(n * sizeof(T))), n};
  }
  // Forgets all; memory is kept. After the first round of a job of the same size nothing is
  // allocated any more.
  void reset();
  std::size_t peak_bytes() const { return peak_; }
  // Bytes that a take of n bytes uses up: whole cache lines and one more, which keeps pieces off
  // the same 4 KiB offset.
  static constexpr std::size_t footprint(std::size_t n) { return (n + 63) / 64 * 64 + 64; }

 private:
  void* take_bytes(std::size_t n);
  struct Block {
    std::unique_ptr<std::byte[]> memory;
    std::byte* begin = nullptr;
    std::size_t size = 0;
  };
  std::vector<Block> blocks_;
  std::size_t block_ = 0;  // the one in use
  std::size_t used_ = 0;   // bytes of it
  std::size_t total_ = 0;
  std::size_t peak_ = 0;
};

}  // namespace skiff
