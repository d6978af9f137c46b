// FedProx: Li et al. 2020, "Federated optimization in heterogeneous networks", algorithm 2 (MLSys;
// arXiv:1812.06127).
//
// A client approximately minimises f_i(w) + (mu/2) |w - x|^2, x being the server's model: each step
// sees the gradient g_i(w) + mu (w - x). Clients may take unequal numbers of steps. The server
// averages as FedAvg does; with mu = 0 this is FedAvg. The paper draws clients by their sizes and
// averages equally; here they are drawn equally and averaged as server.weighting says.
// Wire: FedAvg's. RAM: the received model stays beside the trained one, 4 bytes a parameter more.

#include "algorithms/federated_method.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct FedProxParams {
  double mu = 0;
};

}  // namespace

template <>
Schema<FedProxParams> schema() {
  Schema<FedProxParams> s;
  s.field("mu", &FedProxParams::mu, "strength of the pull towards the server's model")
      .required("by fedprox; skiff has no default that changes results")
      .at_least(0);
  return s;
}

namespace {

class FedProx final : public FederatedMethod {
 public:
  explicit FedProx(const FedProxParams& p) : mu_(static_cast<float>(p.mu)) {}

  void client(ClientContext& context) const override {
    const std::span<const float> x = context.received().values;
    context.train([&](const Slice& slice, std::span<const float> w, std::span<float> g) {
      kernels::axpy(g, mu_, w);
      kernels::axpy(g, -mu_, x.subspan(slice.offset, slice.size()));
    });
    send_update(context);
  }

  bool reads_gradient() const override { return true; }
  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    State state = server.state;
    const Vector direction = mean_direction(c, server, updates, state);
    return advance_with(c, server, direction, std::move(state));
  }

  Bytes training_bytes(const Composition& c, const Plan& plan) const override {
    return Bytes(static_cast<std::int64_t>(c.update_layout(plan)->size * sizeof(float)));
  }

 private:
  float mu_;
};

SKIFF_REGISTER(FederatedMethod, FedProx, FedProxParams,
               {.name = "fedprox",
                .summary = "a proximal term holds clients near the server's model",
                .paper = "Li et al. 2020, arXiv:1812.06127",
                .verified = "the fixed point on unequal quadratics with unequal steps equals the "
                            "closed form to 1e-5; with mu = 0 it is FedAvg, bit for bit"});

}  // namespace
}  // namespace skiff
