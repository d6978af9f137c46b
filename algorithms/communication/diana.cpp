// DIANA: Mishchenko et al. 2019, "Distributed learning with compressed gradient differences"
// (arXiv:1901.09269), with the random-k compressor as in Horvath et al. 2019 (arXiv:1904.05115).
//
//   client:  m_i = Q(v_i - h_i);  send m_i;  h_i <- h_i + alpha m_i
//   server:  the direction is h + mean m_i;  h <- h + alpha (|S|/N) mean m_i
//
// Q keeps k = max(1, floor(density n)) entries drawn at random, times n/k: unbiased with variance
// omega = n/k - 1; alpha = 1/(1 + omega) = k/n. v_i is what the client would have sent. The h_i
// approach the v_i at the optimum, so that the noise of Q dies out there: with gradients of step
// gamma <= 1/(Lmax (1 + 6 omega/n_clients)) and strong convexity mu the rate is
// 1 - min(gamma mu, alpha/2). With a sample S of the clients the direction stays unbiased.
// Wire format: drawn_entries.h. Size: 8 + 4 k bytes.
// State: "diana", n float32 at the sender (h_i), n float64 at the server (h), zero at first.

#include "algorithms/codec.h"
#include "algorithms/communication/density.h"
#include "algorithms/communication/drawn_entries.h"
#include "algorithms/communication/saturate.h"
#include "algorithms/communication/wire.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

constexpr const char* kName = "diana";

struct DianaParams {
  double density = 0;
};

}  // namespace

template <>
Schema<DianaParams> schema() {
  Schema<DianaParams> s;
  add_density(s, kName);
  return s;
}

namespace {

class Diana final : public Codec {
 public:
  explicit Diana(const DianaParams& p) : density_(p.density) {}

  Bytes bytes(const Layout& layout) const override {
    return Bytes(static_cast<std::int64_t>(drawn_bytes(entries(layout.size))));
  }

  Payload encode(const Layout& layout, std::span<float> values, State& sender,
                 Stream stream) const override {
    SKIFF_CHECK(values.size() == layout.size, "values do not fit the layout");
    wire::check_finite(kName, values);
    const std::size_t n = values.size();
    const std::span<float> h = sender.array<float>(kName, n);
    for (std::size_t i = 0; i < n; ++i) values[i] = saturated(values[i] - h[i]);
    Payload payload = encode_drawn(values, stream.bits64(), entries(n), 1 + variance(n));
    const auto alpha = static_cast<float>(1 / (1 + variance(n)));
    for (std::size_t i = 0; i < n; ++i) h[i] = saturated(h[i] + alpha * values[i]);
    return payload;
  }

  void decode(const Layout& layout, const Payload& payload, std::span<float> out) const override {
    SKIFF_CHECK(out.size() == layout.size, "output does not fit the layout");
    decode_drawn(kName, payload, entries(out.size()), out);
  }

  void combine(std::span<float> mean, double share, State& server) const override {
    const std::span<double> h = server.array<double>(kName, mean.size());
    const double alpha = share / (1 + variance(mean.size()));
    for (std::size_t i = 0; i < mean.size(); ++i) {
      const auto m = static_cast<double>(mean[i]);
      mean[i] = static_cast<float>(h[i] + m);
      h[i] += alpha * m;
    }
  }
  bool has_server_half() const override { return true; }

  bool keeps_state() const override { return true; }
  Bytes state_bytes(const Layout& layout) const override {
    return Bytes(static_cast<std::int64_t>(layout.size * sizeof(float)));
  }
  bool unbiased() const override { return true; }
  double variance(std::size_t n) const override {  // omega, of Q
    return n == 0 ? 0 : static_cast<double>(n) / static_cast<double>(entries(n)) - 1;
  }

 private:
  std::size_t entries(std::size_t n) const { return kept_entries(density_, n); }

  double density_;
};

SKIFF_REGISTER(Codec, Diana, DianaParams,
               {.name = kName,
                .summary = "unbiased compression of the change against a learned shift",
                .paper = "Mishchenko et al. 2019, arXiv:1901.09269",
                .verified = "on a heterogeneous quadratic and on mushrooms it goes on to the "
                            "optimum, below the theorem's rate, where compressed gradients alone "
                            "stall; with density 1 it is gradient descent"});

}  // namespace
}  // namespace skiff
