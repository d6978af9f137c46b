// Which compositions are refused, and why: one function over declared properties, never over names.
#pragma once

#include <string>
#include <vector>

#include "algorithms/federated_method.h"

namespace skiff {

// What refusals() must know of the protocol.
struct ProtocolProperties {
  bool synchronous = true;
  bool everyone_takes_part = false;  // participants: all, no deadline, no over-selection, no loss
};

struct Refusal {
  std::string path;  // the key to blame: "training.method"
  std::string reason;
  std::string heuristic;  // the word that allows it nevertheless; "" = cannot be allowed
};

// Every reason. Empty: legal. Reasons whose heuristic word stands in composition.heuristic are left
// out here; `labels` lists the words that were used, for every output to say so.
std::vector<Refusal> refusals(const Composition& composition, const FederatedMethod& method,
                              const ProtocolProperties& protocol,
                              std::vector<std::string>* labels = nullptr);

}  // namespace skiff
