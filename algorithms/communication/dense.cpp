// The identity: every value as it is.
//
// Wire format: n float32, little-endian, in the order of the layout. Size: 4 n bytes.
// Cost: one copy each way, and one pass that sees that all values are finite.

#include "algorithms/codec.h"
#include "algorithms/communication/wire.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

constexpr const char* kName = "dense";

class Dense final : public Codec {
 public:
  explicit Dense(const NoParams&) {}

  Bytes bytes(const Layout& layout) const override {
    return Bytes(static_cast<std::int64_t>(layout.size * sizeof(float)));
  }

  Payload encode(const Layout& layout, std::span<float> values, State&, Stream) const override {
    SKIFF_CHECK(values.size() == layout.size, "values do not fit the layout");
    wire::check_finite(kName, values);
    const auto* first = reinterpret_cast<const std::byte*>(values.data());
    return {{first, first + values.size_bytes()}};
  }

  void decode(const Layout& layout, const Payload& payload, std::span<float> out) const override {
    SKIFF_CHECK(out.size() == layout.size, "output does not fit the layout");
    wire::expect_size(kName, payload, out.size_bytes());
    wire::read_floats(payload, 0, out);
    wire::expect_finite(kName, out);
  }

  bool unbiased() const override { return true; }
  double variance(std::size_t) const override { return 0; }
};

SKIFF_REGISTER(Codec, Dense, NoParams,
               {.name = kName,
                .summary = "float32 values as they are",
                .paper = "baseline",
                .verified = "decoded values equal the sent ones bit for bit"});

}  // namespace
}  // namespace skiff
