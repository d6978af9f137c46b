// FedNova: Wang et al. 2020, "Tackling the objective inconsistency problem in heterogeneous
// federated optimization", algorithm 1 (NeurIPS; arXiv:2007.07481).
//
//   client:  d_i = (y_i - x) / a_i,  a_i = sum of the weights of its gradients in y_i - x
//   server:  x <- x + tau_eff sum p_i d_i,  tau_eff = sum p_i a_i
//
// a_i is the number of steps for plain SGD and [tau - rho (1 - rho^tau) / (1 - rho)] / (1 - rho)
// with momentum rho (Optimizer::gradient_weight). tau_eff is that of FedAvg, so that with equal
// steps this is FedAvg, with momentum too; without momentum it is the paper's sum p_i tau_i.
// The server knows every client's steps since it asked for them: FedAvg's wire. With optimizers
// that fix no weights (Adam) a_i is the number of steps; that is a heuristic and must be allowed.

#include "algorithms/federated_method.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

double gradient_weight(const Plan& plan, std::int64_t steps) {
  const double weight = plan.optimizer->gradient_weight(steps);
  return weight >= 0 ? weight : static_cast<double>(steps);
}

class FedNova final : public FederatedMethod {
 public:
  explicit FedNova(const NoParams&) {}

  void client(ClientContext& context) const override {
    context.train();
    const double weight = gradient_weight(context.plan(), context.steps());
    send_update(context, weight > 0 ? 1 / weight : 1);
  }

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    State state = server.state;
    Vector direction = mean_direction(c, server, updates, state);
    double total = 0, effective = 0;
    for (const Update& u : updates) {
      total += u.weight;
      effective += u.weight * gradient_weight(*u.plan, u.steps);
    }
    kernels::scale(direction.values, static_cast<float>(effective / total), direction.values);
    return advance_with(c, server, direction, std::move(state));
  }

  bool needs_gradient_weights() const override { return true; }
};

SKIFF_REGISTER(FederatedMethod, FedNova, NoParams,
               {.name = "fednova",
                .summary = "updates normalised by their numbers of steps",
                .paper = "Wang et al. 2020, arXiv:2007.07481",
                .verified = "the fixed point on quadratics with 1 and 10 steps equals the closed "
                            "form to 1e-5; with equal steps it is FedAvg",
                .deviates = "with momentum tau_eff sums the gradients' weights, not the steps, so "
                            "that equal steps still give FedAvg"});

}  // namespace
}  // namespace skiff
