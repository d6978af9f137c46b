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

Vector FederatedMethod::received(const Composition& composition, const Plan& plan,
                                 const Message& message) const {
  return read_model(composition, plan, message);
}

void FederatedMethod::client(ClientContext& context) const {
  context.train();
  send_update(context);
}

std::vector<Predictor> FederatedMethod::predictors(const Composition& composition,
                                                   const Server& server) const {
  const Plan& plan = composition.global();
  return {{"global", plan.model, {predicting(composition, server, server.models[plan.model])}}};
}

std::shared_ptr<const Vector> predicting(const Composition& c, const Server& server,
                                         const GlobalModel& model) {
  const Plan& plan = c.global();
  const Parametrization& p = c.adaptation(plan, server);
  if (p.trains_base()) return borrowed(model.weights);
  return std::make_shared<const Vector>(p.merged(model, c.space_stream(plan, server.version)));
}

}  // namespace skiff
