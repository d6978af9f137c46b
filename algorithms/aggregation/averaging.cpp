#include "algorithms/aggregation/averaging.h"

#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"

namespace skiff {

Exchange model_for_update(const Composition& c, const Server& server, const Plan& plan) {
  const LayoutPtr layout = c.update_layout(plan);
  const Codec& up = plan.up->in_round(c.seed, server.version);
  return {{{kModelSection, plan.down->bytes(*layout), server.version}},
          {{kUpdateSection, up.bytes(*layout), -1}}};
}

void send_update(ClientContext& context, double factor) {
  Vector update(context.composition().update_layout(context.plan()));
  context.weights().update(update);
  if (factor != 1) kernels::scale(update.values, static_cast<float>(factor), update.values);
  context.send(kUpdateSection, update);
}

Vector mean_direction(const Composition& c, const Server& server, std::span<const Update> updates,
                      State& state) {
  Vector direction = mean_update(c, updates, kUpdateSection);
  apply_server_half(c, server.version, updates.size(), direction, state);
  return direction;
}

Server advance_with(const Composition& c, const Server& server, const Vector& direction,
                    State state) {
  Server next = advance(c, server, direction);
  next.state = std::move(state);
  return next;
}

}  // namespace skiff
