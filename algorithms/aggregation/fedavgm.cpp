// FedAvgM: Hsu, Qi and Brown 2019, "Measuring the effects of non-identical data distribution for
// federated visual classification", section 3 (arXiv:1909.06335).
//
//   m <- beta m + D;   x <- x + eta m        D: the mean update of the round
//
// eta is server.learning_rate (1 unless written). m is the float32 array "fedavgm.momentum" of the
// server. With beta = 0 this is FedAvg. Wire: FedAvg's; clients keep nothing.

#include "algorithms/federated_method.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct FedAvgMParams {
  double beta = 0;
};

}  // namespace

template <>
Schema<FedAvgMParams> schema() {
  Schema<FedAvgMParams> s;
  s.field("beta", &FedAvgMParams::beta, "share of the last direction that is kept")
      .required("by fedavgm; skiff has no default that changes results")
      .fraction(0, 0.999999);
  return s;
}

namespace {

class FedAvgM final : public FederatedMethod {
 public:
  explicit FedAvgM(const FedAvgMParams& p) : beta_(static_cast<float>(p.beta)) {}

  void start(const Composition& c, Server& server) const override {
    server.state.array<float>("fedavgm.momentum", c.update_layout(c.global())->size);
  }

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    State state = server.state;
    Vector direction = mean_direction(c, server, updates, state);
    const std::span<float> m = state.array<float>("fedavgm.momentum", direction.values.size());
    kernels::add_scaled(m, direction.values, beta_, m);
    direction.values.assign(m.begin(), m.end());
    return advance_with(c, server, direction, std::move(state));
  }

  bool keeps_moments() const override { return true; }

 private:
  float beta_;
};

SKIFF_REGISTER(FederatedMethod, FedAvgM, FedAvgMParams,
               {.name = "fedavgm",
                .summary = "momentum at the server",
                .paper = "Hsu et al. 2019, arXiv:1909.06335",
                .verified = "steps on a constant update equal the geometric series; with beta = 0 "
                            "it is FedAvg, bit for bit"});

}  // namespace
}  // namespace skiff
