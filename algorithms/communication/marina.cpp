// MARINA: Gorbunov et al. 2021, "MARINA: faster non-convex distributed learning with compression"
// (ICML; arXiv:2102.07845), algorithm 1, with random-k.
//
//   a shared coin of each round:
//   with probability q:  send v_i;                    the direction is g = mean v_i
//   else:                send Q(v_i - v_i of before);  g <- g + mean of what was sent
//
// Q keeps k = max(1, floor(density n)) entries drawn at random, times n/k: omega = n/k - 1. The
// paper's q is about k/n. Round 0 is always full. v_i is what the client would have sent: the
// theorem is about full-batch gradients (training.batch: full, one step) and steps
// gamma <= 1/(L + Lt sqrt((1 - q) omega / (q n_clients))); with stochastic gradients the paper's
// variant takes both gradients of a difference on one batch, which a codec cannot.
// Everybody must take part in every round: g is the mean of all.
// Wire format: full rounds n float32, 4 n bytes; else drawn_entries.h, 8 + 4 k bytes.
// State: "marina", n float32 at the sender (v_i of before), n float64 at the server (g).

#include "algorithms/codec.h"
#include "algorithms/communication/density.h"
#include "algorithms/communication/drawn_entries.h"
#include "algorithms/communication/saturate.h"
#include "algorithms/communication/wire.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

constexpr const char* kName = "marina";

struct MarinaParams {
  double density = 0;
  double full_probability = 1;
};

// What both kinds of round have in common: the memories.
Bytes one_vector(const Layout& layout) {
  return Bytes(static_cast<std::int64_t>(layout.size * sizeof(float)));
}

class FullRound final : public Codec {
 public:
  Bytes bytes(const Layout& layout) const override { return one_vector(layout); }
  Payload encode(const Layout& layout, std::span<float> values, State& sender,
                 Stream) const override {
    SKIFF_CHECK(values.size() == layout.size, "values do not fit the layout");
    wire::check_finite(kName, values);
    const std::span<float> last = sender.array<float>(kName, values.size());
    std::copy(values.begin(), values.end(), last.begin());
    Payload payload;
    payload.bytes.resize(values.size_bytes());
    wire::write_floats(payload, 0, values);
    return payload;
  }
  void decode(const Layout& layout, const Payload& payload, std::span<float> out) const override {
    SKIFF_CHECK(out.size() == layout.size, "output does not fit the layout");
    wire::expect_size(kName, payload, out.size_bytes());
    wire::read_floats(payload, 0, out);
    wire::expect_finite(kName, out);
  }
  void combine(std::span<float> mean, double, State& server) const override {
    const std::span<double> g = server.array<double>(kName, mean.size());
    std::copy(mean.begin(), mean.end(), g.begin());
  }
  bool has_server_half() const override { return true; }
  bool keeps_state() const override { return true; }
  Bytes state_bytes(const Layout& layout) const override { return one_vector(layout); }
  bool needs_everyone() const override { return true; }
};

}  // namespace

template <>
Schema<MarinaParams> schema() {
  Schema<MarinaParams> s;
  add_density(s, kName);
  s.field("full_probability", &MarinaParams::full_probability,
          "chance that a round sends the whole gradient")
      .required(required_by(kName))
      .fraction()
      .above(0);
  return s;
}

namespace {

class Marina final : public Codec {
 public:
  explicit Marina(const MarinaParams& p) : density_(p.density), full_(p.full_probability) {}

  const Codec& in_round(std::uint64_t seed, std::int64_t version) const override {
    Stream coin(seed, "marina.coin", 0, static_cast<std::uint64_t>(version));
    const bool full = version == 0 || coin.uniform() < full_;
    return full ? static_cast<const Codec&>(full_round_) : *this;
  }

  // From here on: a round of differences.
  Bytes bytes(const Layout& layout) const override {
    return Bytes(static_cast<std::int64_t>(drawn_bytes(entries(layout.size))));
  }

  Payload encode(const Layout& layout, std::span<float> values, State& sender,
                 Stream stream) const override {
    SKIFF_CHECK(values.size() == layout.size, "values do not fit the layout");
    wire::check_finite(kName, values);
    const std::span<float> last = sender.array<float>(kName, values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float now = values[i];
      values[i] = saturated(now - last[i]);
      last[i] = now;
    }
    return encode_drawn(values, stream.bits64(), entries(values.size()),
                        1 + variance(values.size()));
  }

  void decode(const Layout& layout, const Payload& payload, std::span<float> out) const override {
    SKIFF_CHECK(out.size() == layout.size, "output does not fit the layout");
    decode_drawn(kName, payload, entries(out.size()), out);
  }

  void combine(std::span<float> mean, double share, State& server) const override {
    const std::span<double> g = server.array<double>(kName, mean.size());
    for (std::size_t i = 0; i < mean.size(); ++i) {
      g[i] += share * static_cast<double>(mean[i]);
      mean[i] = static_cast<float>(g[i]);
    }
  }
  bool has_server_half() const override { return true; }
  bool keeps_state() const override { return true; }
  Bytes state_bytes(const Layout& layout) const override { return one_vector(layout); }
  bool needs_everyone() const override { return true; }
  bool unbiased() const override { return true; }
  double variance(std::size_t n) const override {  // omega, of Q
    return n == 0 ? 0 : static_cast<double>(n) / static_cast<double>(entries(n)) - 1;
  }

 private:
  std::size_t entries(std::size_t n) const { return kept_entries(density_, n); }

  double density_, full_;
  FullRound full_round_;
};

SKIFF_REGISTER(Codec, Marina, MarinaParams,
               {.name = kName,
                .summary = "unbiased compression of gradient differences, now and then a full one",
                .paper = "Gorbunov et al. 2021, arXiv:2102.07845",
                .verified = "on a heterogeneous quadratic and on mushrooms it converges linearly "
                            "with the theorem's step; with density 1 it is gradient descent"});

}  // namespace
}  // namespace skiff
