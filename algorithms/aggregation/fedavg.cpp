// FedAvg: McMahan et al. 2017, "Communication-efficient learning of deep networks from
// decentralized data", algorithm 1 (AISTATS; arXiv:1602.05629).
//
// Clients train locally and send the change of their parameters; the server adds the mean, weighted
// by their numbers of samples (or equally: server.weighting). With server.learning_rate 1 this is
// the paper's weighted mean of models. With one full-batch step and every client taking part it is
// gradient descent on the pooled loss.
// Every codec on the way up composes with it; one with a server half (EF21) turns the mean into the
// direction by Codec::combine. Cost: one model down, one update up.

#include "algorithms/federated_method.h"
#include "algorithms/method_steps.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

class FedAvg final : public FederatedMethod {
 public:
  explicit FedAvg(const NoParams&) {}

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    State state = server.state;
    const Vector direction = mean_direction(c, server, updates, state);
    return advance_with(c, server, direction, std::move(state));
  }
};

SKIFF_REGISTER(FederatedMethod, FedAvg, NoParams,
               {.name = "fedavg",
                .summary = "weighted mean of locally trained models",
                .paper = "McMahan et al. 2017, arXiv:1602.05629",
                .verified = "one full-batch step with all clients reaches the optimum of "
                            "l2-logistic regression (a9a, mushrooms, phishing) to 1e-6; MNIST 2NN "
                            "needs as many rounds as an independent loop"});

}  // namespace
}  // namespace skiff
