// What the steps of assemble() share: refusals at a key, parts by name. For sim/cli only.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "sim/core/registry.h"
#include "sim/federation/setup.h"
#include "sim/scenario/scenario.h"

namespace skiff {

[[noreturn]] inline void refuse(const Scenario& scenario, const std::string& path,
                                const std::string& message) {
  throw scenario.error(path, message);
}

// Runs `make`; what it says about the user's choice becomes a problem at `path`.
template <class Make>
auto at_key(const Scenario& scenario, const std::string& path, Make&& make) {
  try {
    return make();
  } catch (const std::invalid_argument& e) {
    refuse(scenario, path, e.what());
  }
}

template <class Role>
std::shared_ptr<const Role> by_name(const char* name) {
  Node map;
  map.set(Role::kKey, Node::scalar(name));
  return Registry<Role>::instance().make(map);
}

// The models and each tier's plan; no models where the scenario has none or no optimizer.
Composition assemble_composition(const Scenario& scenario, const FederatedDataset& data);

// Devices pay for a real-size model while the small one trains; null without model.deploy_as.
std::shared_ptr<const Composition> assemble_deployed(const Scenario& scenario,
                                                     const Composition& trained,
                                                     const TaskShape& task);

}  // namespace skiff
