// Top-k: the k entries of greatest magnitude, lower index first among equals; with or without error
// feedback. Stich, Cordonnier and Jaggi 2018, "Sparsified SGD with memory" (arXiv:1809.07599);
// Alistarh et al. 2018 (arXiv:1809.10505).
//
//   |C(v) - v|^2 <= (1 - k/n) |v|^2,   k = max(1, floor(density n))
//
// Wire format: k float32 and their indices, as sparse_wire.h says.
// Size: 4 k + ceil(min(n, k ceil(log2 n)) / 8) bytes.
// State of the sender with error feedback: the residual, 4 n bytes.

#include "algorithms/codec.h"
#include "algorithms/communication/density.h"
#include "algorithms/communication/error_feedback.h"
#include "algorithms/communication/sparse_wire.h"
#include "algorithms/communication/wire.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

constexpr const char* kName = "top-k";

struct TopKParams {
  double density = 0;
  bool error_feedback = false;
};

}  // namespace

template <>
Schema<TopKParams> schema() {
  Schema<TopKParams> s;
  add_density(s, kName);
  add_error_feedback(s, kName);
  return s;
}

namespace {

class TopK final : public Codec {
 public:
  explicit TopK(const TopKParams& p) : density_(p.density), error_feedback_(p.error_feedback) {}

  Bytes bytes(const Layout& layout) const override {
    return Bytes(static_cast<std::int64_t>(sparse_bytes(layout.size, entries(layout.size))));
  }

  Payload encode(const Layout& layout, std::span<float> values, State& sender,
                 Stream) const override {
    SKIFF_CHECK(values.size() == layout.size, "values do not fit the layout");
    wire::check_finite(kName, values);
    const std::size_t k = entries(values.size());
    if (!error_feedback_) return encode_largest(values, k);
    return with_error_feedback(values, sender,
                               [k](std::span<float> u) { return encode_largest(u, k); });
  }

  void decode(const Layout& layout, const Payload& payload, std::span<float> out) const override {
    SKIFF_CHECK(out.size() == layout.size, "output does not fit the layout");
    decode_sparse(kName, payload, entries(out.size()), out);
  }

  bool keeps_state() const override { return error_feedback_; }
  Bytes state_bytes(const Layout& layout) const override {
    return Bytes(error_feedback_ ? static_cast<std::int64_t>(layout.size * sizeof(float)) : 0);
  }
  double contraction(std::size_t n) const override {
    return n == 0 ? 1 : static_cast<double>(entries(n)) / static_cast<double>(n);
  }

 private:
  std::size_t entries(std::size_t n) const { return kept_entries(density_, n); }

  double density_;
  bool error_feedback_;
};

SKIFF_REGISTER(Codec, TopK, TopKParams,
               {.name = kName,
                .summary = "the entries of greatest magnitude, with their indices",
                .paper = "Stich et al. 2018, arXiv:1809.07599",
                .verified = "its error on a fixed vector equals the closed form; sent + residual "
                            "= input + old residual, bit for bit"});

}  // namespace
}  // namespace skiff
