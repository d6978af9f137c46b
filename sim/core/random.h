// Counter-based random streams: Philox4x32-10 (Salmon et al., SC'11; Random123).
//
// A Stream is a pure function of (seed, purpose, entity, index): no state is shared, nothing is
// ever reseeded, and drawing from one stream never moves another. Streams are named by purpose
// ("client.sampling", "network.rate"), so changing the algorithm never changes who is sampled or
// which links are slow (common random numbers). A Stream is a UniformRandomBitGenerator: use it
// with Boost.Random, never with std::*_distribution, whose values differ between libraries.
#pragma once

#include <Random123/philox.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

namespace skiff {

constexpr std::uint64_t mix64(std::uint64_t x) {  // finaliser of SplitMix64
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

constexpr std::uint64_t hash_text(std::string_view text) {  // FNV-1a
  std::uint64_t h = 0xcbf29ce484222325ull;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return h;
}

class Stream {
 public:
  using result_type = std::uint32_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

  Stream(std::uint64_t seed, std::string_view purpose, std::uint64_t entity = 0,
         std::uint64_t index = 0)
      : Stream(mix64(mix64(seed) ^ hash_text(purpose)), entity, index) {}

  // An independent stream derived from this one; it does not depend on how much was drawn here.
  Stream child(std::string_view purpose, std::uint64_t index = 0) const {
    return Stream(mix64(key_ ^ hash_text(purpose)), mix64(entity_) ^ index_, index);
  }

  result_type operator()() {
    if (used_ == 4) refill();
    return block_[used_++];
  }
  std::uint64_t bits64() {
    const std::uint64_t high = (*this)();
    return high << 32 | (*this)();
  }
  // Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(bits64() >> 11) * 0x1p-53; }
  // Uniform in [0, 1), 24 bits.
  float uniform_float() { return static_cast<float>((*this)() >> 8) * 0x1p-24f; }
  // Uniform in 0..n-1, n >= 1, without bias (Lemire 2019).
  std::uint32_t below(std::uint32_t n) {
    std::uint64_t product = static_cast<std::uint64_t>((*this)()) * n;
    if (static_cast<std::uint32_t>(product) < n) {
      const std::uint32_t threshold = (0u - n) % n;
      while (static_cast<std::uint32_t>(product) < threshold) {
        product = static_cast<std::uint64_t>((*this)()) * n;
      }
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  Stream(std::uint64_t key, std::uint64_t entity, std::uint64_t index)
      : key_(key), entity_(entity), index_(index) {}
  void refill() {
    const std::uint64_t key = key_ ^ mix64(entity_);
    const r123::Philox4x32::ctr_type counter = {{counter_++, static_cast<std::uint32_t>(entity_),
                                                 static_cast<std::uint32_t>(index_),
                                                 static_cast<std::uint32_t>(index_ >> 32)}};
    const r123::Philox4x32::ctr_type words = r123::Philox4x32()(
        counter, {{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}});
    block_ = {words[0], words[1], words[2], words[3]};
    used_ = 0;
  }

  std::uint64_t key_, entity_, index_;
  std::uint32_t counter_ = 0;
  std::uint32_t used_ = 4;
  std::array<std::uint32_t, 4> block_{};
};

}  // namespace skiff
