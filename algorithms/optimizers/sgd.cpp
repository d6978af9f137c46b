// Stochastic gradient descent with heavy-ball momentum (Polyak 1964):
//   v = momentum v + g;  w = (1 - learning_rate weight_decay) w - learning_rate v
// in single precision, the products that are added as fmas. Without momentum v is g and nothing is
// kept; with it State holds v, 4 bytes a parameter, one array a slice, named after the slice.
#include "algorithms/kernels/reduce.h"
#include "algorithms/optimizers/common.h"

namespace skiff {
namespace {

struct SgdParams : OptimizerParams {
  double momentum = 0;
};

struct SgdMomentumParams : SgdParams {};

class Sgd final : public Optimizer {
 public:
  explicit Sgd(SgdParams params) : params_(std::move(params)) {}

  double learning_rate(std::int64_t round, std::int64_t horizon) const override {
    return params_.rate(round, horizon);
  }

  void step(const Slice& slice, std::span<float> w, std::span<const float> g, double learning_rate,
            State& state) const override {
    decay(w, learning_rate, params_.weight_decay);
    if (params_.momentum != 0) {
      const std::span<float> v = state.array<float>(slice.name, slice.size());
      kernels::add_scaled(v, g, static_cast<float>(params_.momentum), v);
      g = v;
    }
    kernels::axpy(w, -static_cast<float>(learning_rate), g);
  }

  Bytes state_bytes(const Layout& trained) const override {
    const std::size_t n = params_.momentum == 0 ? 0 : trained.size;
    return Bytes(static_cast<std::int64_t>(n * sizeof(float)));
  }
  bool plain_sgd() const override { return params_.momentum == 0 && params_.weight_decay == 0; }
  // The gradient of step k of K counts 1 + momentum + ... + momentum^(K-k).
  double gradient_weight(std::int64_t steps) const override {
    const bool carried_over = params_.momentum != 0 && client_state() != ClientStatePolicy::kReset;
    if (params_.weight_decay != 0 || carried_over) return -1;
    double sum = 0, velocity = 0;
    for (std::int64_t k = 0; k < steps; ++k) sum += velocity = params_.momentum * velocity + 1;
    return sum;
  }
  ClientStatePolicy client_state() const override { return params_.policy(); }
  std::optional<Bytes> state_limit() const override { return params_.state_limit; }

 private:
  SgdParams params_;
};

}  // namespace

template <>
Schema<SgdParams> schema<SgdParams>() {
  Schema<SgdParams> s;
  add_common_fields(s, "sgd");
  s.field("momentum", &SgdParams::momentum, "share of the last step that is kept, below 1")
      .in(0, 1);
  s.check([](const SgdParams& p, const Node& map, Reader& reader) {
    if (p.momentum < 1) return;
    const Reader::Scope scope(reader, "momentum");
    reader.problem(map.find("momentum")->where, "1 never forgets a step; write less than 1");
  });
  return s;
}

template <>
Schema<SgdMomentumParams> schema<SgdMomentumParams>() {
  using P = SgdMomentumParams;
  Schema<P> s;
  add_common_fields(s, "sgd-momentum");
  s.field("momentum", &P::momentum, "share of the last step that is kept, below 1")
      .required("by sgd-momentum")
      .in(0, 1);
  s.check([](const P& p, const Node& map, Reader& reader) {
    check_below_one(p.momentum, "momentum", map, reader);
  });
  return s;
}

SKIFF_REGISTER(Optimizer, Sgd, SgdMomentumParams,
               {.name = "sgd-momentum",
                .summary = "sgd by its other name: with momentum",
                .paper = "Polyak 1964",
                .verified = "the same steps as sgd with that momentum, bit by bit"});
SKIFF_REGISTER(Optimizer, Sgd, SgdParams,
               {.name = "sgd",
                .summary = "stochastic gradient descent, with momentum if wanted",
                .paper = "Robbins and Monro 1951; momentum: Polyak 1964",
                .verified = "closed forms on quadratics; fused and unfused steps bit-equal"});

}  // namespace skiff
