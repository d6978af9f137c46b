// EF21: Richtarik, Sokolov and Fatkhullin 2021, "EF21: a new, simpler, theoretically better, and
// practically faster error feedback" (arXiv:2106.05203), algorithm 2; with a sample of the clients
// in each round, EF21-PP of Fatkhullin et al. 2021 (arXiv:2110.03294). Inner compressor: top-k.
//
//   client:  c_i = C(v_i - g_i);  send c_i;  g_i <- g_i + c_i
//   server:  g <- g + (|S|/N) mean over S of c_i;  the direction is g, the mean of all clients' g_i
//
// v_i is what the client would have sent (a gradient step, or the change of local training); g_i is
// zero at first, so the first message is C(v_i). With k = n this is uncompressed training, up to
// the rounding of g_i. What `encode` leaves in the values, and `decode` reads, is c_i.
// Wire format: that of top-k (sparse_wire.h). Size: 4 k + ceil(min(n, k ceil(log2 n)) / 8) bytes.
// State: "ef21", n float32 at the sender (g_i) and n float64 at the server (g: a sum of ever
// smaller terms; in single precision it would drift from the mean of the g_i).

#include "algorithms/codec.h"
#include "algorithms/communication/density.h"
#include "algorithms/communication/saturate.h"
#include "algorithms/communication/sparse_wire.h"
#include "algorithms/communication/wire.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

constexpr const char* kName = "ef21";

struct Ef21Params {
  double density = 0;
};

}  // namespace

template <>
Schema<Ef21Params> schema() {
  Schema<Ef21Params> s;
  add_density(s, kName);
  return s;
}

namespace {

class Ef21 final : public Codec {
 public:
  explicit Ef21(const Ef21Params& p) : density_(p.density) {}

  Bytes bytes(const Layout& layout) const override {
    return Bytes(static_cast<std::int64_t>(sparse_bytes(layout.size, entries(layout.size))));
  }

  Payload encode(const Layout& layout, std::span<float> values, State& sender,
                 Stream) const override {
    SKIFF_CHECK(values.size() == layout.size, "values do not fit the layout");
    wire::check_finite(kName, values);
    const std::span<float> g = sender.array<float>(kName, values.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = saturated(values[i] - g[i]);
    Payload payload = encode_largest(values, entries(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) g[i] = saturated(g[i] + values[i]);
    return payload;
  }

  void decode(const Layout& layout, const Payload& payload, std::span<float> out) const override {
    SKIFF_CHECK(out.size() == layout.size, "output does not fit the layout");
    decode_sparse(kName, payload, entries(out.size()), out);
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
  Bytes state_bytes(const Layout& layout) const override {
    return Bytes(static_cast<std::int64_t>(layout.size * sizeof(float)));
  }
  // Of the inner compressor, on v - g.
  double contraction(std::size_t n) const override {
    return n == 0 ? 1 : static_cast<double>(entries(n)) / static_cast<double>(n);
  }

 private:
  std::size_t entries(std::size_t n) const { return kept_entries(density_, n); }

  double density_;
};

SKIFF_REGISTER(Codec, Ef21, Ef21Params,
               {.name = kName,
                .summary = "top-k of the change against what the server already knows",
                .paper = "Richtarik et al. 2021, arXiv:2106.05203",
                .verified = "trajectories on a quadratic and on the paper's mushrooms problem "
                            "equal independent double-precision ones to 1e-4; with density 1 it "
                            "is gradient descent",
                .deviates = "g_i starts at zero instead of a full first gradient"});

}  // namespace
}  // namespace skiff
