// SCAFFOLD: Karimireddy et al. 2020, "Stochastic controlled averaging for federated learning",
// algorithm 1 with option II for the client's control variate (ICML; arXiv:1910.06378).
//
//   y_i <- y_i - eta (g_i(y_i) + c - c_i),  K local steps from the server's x
//   c_i+ = c_i - c + (x - y_i) / (K eta)
//   x <- x + eta_g mean(y_i - x);   c <- c + (|S| / N) mean(c_i+ - c_i)
//
// c is the server's control, kept in its state; c_i the client's, zero at first, kept on the device
// and changed only when its report is accepted. Down: model and control; up: both differences, each
// with the plan's codecs. Means are weighted as the protocol says; the paper's are equal.

#include "algorithms/federated_method.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

const SectionId kControlDown = section_id("control");
const SectionId kControlUp = section_id("control_update");

class Scaffold final : public FederatedMethod {
 public:
  explicit Scaffold(const NoParams&) {}

  void start(const Composition& c, Server& server) const override {
    server.state.array<float>("scaffold.control", c.update_layout(c.global())->size);
  }

  Exchange exchange(const Composition& c, const Server& server, const Plan& plan, const Shape&,
                    ClientId) const override {
    const Bytes up = section_bytes(c, plan, *plan.up, server);
    Exchange sizes{model_sections(c, server, plan),
                   {{kUpdateSection, up, -1}, {kControlUp, up, -1}}};
    sizes.down.push_back(
        {kControlDown, section_bytes(c, plan, *plan.down, server), server.version});
    return sizes;
  }

  void broadcast(const Composition& c, const Server& server, const Plan& plan, ClientId,
                 Message& message) const override {
    say_model(c, server, plan, message);
    State state = server.state;
    Vector control(c.update_layout(plan));
    const std::span<float> kept = state.array<float>("scaffold.control", control.values.size());
    control.values.assign(kept.begin(), kept.end());
    say(c, server, plan, kControlDown, std::move(control), message);
  }

  void client(ClientContext& context) const override {
    const LayoutPtr layout = context.composition().update_layout(context.plan());
    const Vector c = context.read(kControlDown, layout);
    const std::span<float> own = context.state().array<float>("scaffold.control", layout->size);
    Vector shift(layout);  // c - c_i
    kernels::subtract(shift.values, c.values, own);
    context.train([&](const Slice& slice, std::span<const float>, std::span<float> g) {
      kernels::add(g, g, std::span<const float>(shift.values).subspan(slice.offset, slice.size()));
    });
    Vector update(layout);
    context.weights().update(update);
    // c_i+ - c_i = -c - (y_i - x) / (K eta)
    const double k_eta = static_cast<double>(context.steps()) * context.learning_rate();
    Vector change(layout);
    kernels::scale(change.values, -1.0f, c.values);
    if (k_eta > 0) {
      kernels::axpy(change.values, static_cast<float>(-1.0 / k_eta), update.values);
    }
    context.send(kUpdateSection, update);
    context.send(kControlUp, change);
    // The server reads `change` as it is now; the client keeps the same, so both halves agree.
    kernels::add(own, own, change.values);
  }

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    const LayoutPtr layout = c.update_layout(c.global());
    const Vector direction = mean_update(c, updates, kUpdateSection);
    const Vector control = mean_update(c, updates, kControlUp);
    Server next = advance(c, server, direction);
    const double share = static_cast<double>(updates.size()) / static_cast<double>(c.clients);
    kernels::axpy(next.state.array<float>("scaffold.control", layout->size),
                  static_cast<float>(share), control.values);
    return next;
  }

  Bytes client_state_bytes(const Composition& c, const Plan& plan) const override {
    return Bytes(static_cast<std::int64_t>(c.update_layout(plan)->size * sizeof(float)));
  }
  Bytes training_bytes(const Composition& c, const Plan& plan) const override {
    return 2 * client_state_bytes(c, plan);  // c and c_i
  }
  bool keeps_vectors() const override { return true; }
  bool needs_plain_sgd() const override { return true; }
  bool synchronous() const override { return true; }
  bool applies_server_half() const override { return false; }
};

SKIFF_REGISTER(FederatedMethod, Scaffold, NoParams,
               {.name = "scaffold",
                .summary = "control variates correct the drift of local steps",
                .paper = "Karimireddy et al. 2020, arXiv:1910.06378",
                .verified = "on a heterogeneous quadratic it reaches the optimum where FedAvg "
                            "with the same local steps stalls",
                .deviates = "the change of c_i is what the server decodes, so that with a lossy "
                            "codec both halves stay equal"});

}  // namespace
}  // namespace skiff
