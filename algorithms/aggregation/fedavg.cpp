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

  Exchange exchange(const Composition& c, const Server& server, const Plan& plan, const Shape&,
                    ClientId) const override {
    const LayoutPtr layout = c.update_layout(plan);
    return {{{kModelSection, plan.down->bytes(*layout), server.version}},
            {{kUpdateSection, plan.up->bytes(*layout), -1}}};
  }

  void broadcast(const Composition& c, const Server& server, const Plan& plan, ClientId,
                 Message& message) const override {
    say_model(c, server, plan, message);
  }

  void client(ClientContext& context) const override {
    context.train();
    Vector update(context.composition().update_layout(context.plan()));
    context.weights().update(update);
    context.send(kUpdateSection, update);
  }

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    Vector direction = mean_update(c, updates, kUpdateSection);
    State state = server.state;
    apply_server_half(c, updates.size(), direction, state);
    Server next = advance(c, server, direction);
    next.state = std::move(state);
    return next;
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
