#include "algorithms/federated_method.h"

#include "algorithms/method_steps.h"

namespace skiff {

Exchange FederatedMethod::exchange(const Composition& composition, const Server& server,
                                   const Plan& plan, const Shape&, ClientId) const {
  return model_for_update(composition, server, plan);
}

void FederatedMethod::broadcast(const Composition& composition, const Server& server,
                                const Plan& plan, ClientId, Message& message) const {
  say_model(composition, server, plan, message);
}

void FederatedMethod::client(ClientContext& context) const {
  context.train();
  send_update(context);
}

std::vector<Predictor> FederatedMethod::predictors(const Composition& composition,
                                                   const Server& server) const {
  const Plan& plan = composition.global();
  return {{"global", plan.model, {&server.models[plan.model].weights}}};
}

}  // namespace skiff
