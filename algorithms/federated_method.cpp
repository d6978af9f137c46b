#include "algorithms/federated_method.h"

namespace skiff {

std::vector<Predictor> FederatedMethod::predictors(const Composition& composition,
                                                   const Server& server) const {
  const Plan& plan = composition.global();
  return {{"global", plan.model, {&server.models[plan.model].weights}}};
}

}  // namespace skiff
