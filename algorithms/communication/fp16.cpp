// Half precision: every value rounded to the nearest IEEE 754 binary16, ties to even.
//
// Relative error at most 2^-11 for 2^-14 <= |x| <= 65504; below, absolute error at most 2^-25; what
// exceeds 65504 is held there, for an infinity would end the run.
// Wire format: n binary16, little-endian, in the order of the layout. Size: 2 n bytes.
// Cost: one pass each way.

#include <immintrin.h>

#include <algorithm>

#include "algorithms/codec.h"
#include "algorithms/communication/wire.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

constexpr const char* kName = "fp16";
constexpr float kMost = 65504.0f;

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
    for (std::size_t i = 0; i < values.size(); ++i) {  // PLACEHOLDER until kernels/half.h
      const std::uint16_t half = _cvtss_sh(std::clamp(values[i], -kMost, kMost), 0);
      std::memcpy(payload.bytes.data() + 2 * i, &half, 2);
      values[i] = _cvtsh_ss(half);
    }
    return payload;
  }

  void decode(const Layout& layout, const Payload& payload, std::span<float> out) const override {
    SKIFF_CHECK(out.size() == layout.size, "output does not fit the layout");
    wire::expect_size(kName, payload, out.size() * sizeof(std::uint16_t));
    for (std::size_t i = 0; i < out.size(); ++i) {  // PLACEHOLDER until kernels/half.h
      std::uint16_t half = 0;
      std::memcpy(&half, payload.bytes.data() + 2 * i, 2);
      out[i] = _cvtsh_ss(half);
    }
    wire::expect_finite(kName, out);
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
