// Half precision: every value rounded to the nearest IEEE 754 binary16, ties to even.
//
// Relative error at most 2^-11 for 2^-14 <= |x| <= 65504; below, absolute error at most 2^-25; what
// exceeds 65504 is held there, for an infinity would end the run.
// Wire format: n binary16, little-endian, in the order of the layout. Size: 2 n bytes.
// Cost: one pass each way.

#include <algorithm>
#include <array>

#include "algorithms/codec.h"
#include "algorithms/communication/wire.h"
#include "algorithms/kernels/half.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

constexpr const char* kName = "fp16";
constexpr float kMost = 65504.0f;
constexpr std::size_t kChunk = 1024;

class Fp16 final : public Codec {
 public:
  explicit Fp16(const NoParams&) {}

  Bytes bytes(const Layout& layout) const override {
    return Bytes(static_cast<std::int64_t>(layout.size * sizeof(std::uint16_t)));
  }

  Payload encode(const Layout& layout, std::span<float> values, State&, Stream) const override {
    SKIFF_CHECK(values.size() == layout.size, "values do not fit the layout");
    wire::check_finite(kName, values);
    Payload payload;
    payload.bytes.resize(values.size() * sizeof(std::uint16_t));
    std::byte* out = payload.bytes.data();
    for_chunks(values, [&](std::span<float> chunk, std::span<std::uint16_t> halves) {
      for (float& x : chunk) x = std::min(std::max(x, -kMost), kMost);
      kernels::to_half(halves, chunk);
      std::memcpy(out, halves.data(), halves.size_bytes());
      out += halves.size_bytes();
      kernels::from_half(chunk, halves);
    });
    return payload;
  }

  void decode(const Layout& layout, const Payload& payload, std::span<float> out) const override {
    SKIFF_CHECK(out.size() == layout.size, "output does not fit the layout");
    wire::expect_size(kName, payload, out.size() * sizeof(std::uint16_t));
    const std::byte* in = payload.bytes.data();
    for_chunks(out, [&](std::span<float> chunk, std::span<std::uint16_t> halves) {
      std::memcpy(halves.data(), in, halves.size_bytes());
      in += halves.size_bytes();
      kernels::from_half(chunk, halves);
      wire::expect_finite(kName, chunk);
    });
  }

 private:
  // Work by pieces that stay in the first-level cache.
  template <class Work>
  static void for_chunks(std::span<float> values, Work work) {
    std::array<std::uint16_t, kChunk> halves;
    for (std::size_t first = 0; first < values.size(); first += kChunk) {
      const std::size_t n = std::min(kChunk, values.size() - first);
      work(values.subspan(first, n), std::span(halves).first(n));
    }
  }
};

SKIFF_REGISTER(Codec, Fp16, NoParams,
               {.name = kName,
                .summary = "IEEE half precision, rounded to nearest",
                .paper = "baseline (IEEE 754-2019 binary16)",
                .verified = "decoded values are the nearest representable ones",
                .deviates = "values beyond 65504 are held there instead of becoming infinite"});

}  // namespace
}  // namespace skiff
