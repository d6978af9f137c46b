// The protocols of the language and the keys of `server` that each uses.
//
// A protocol is no strategy: sim/federation runs it. It is registered here as a role so that
// messages, the JSON Schema and `skiff explain` know its keys. To build another one: take
// `.planned` off its line in protocol.cpp.
#pragma once

#include <string>
#include <vector>

#include "sim/core/registry.h"

namespace skiff {

class Protocol {
 public:
  static constexpr const char* kRole = "protocol";
  static constexpr const char* kKey = "protocol";
};

struct ProtocolWords {
  std::string name, summary, paper;
  std::vector<std::string> required;  // keys that must be written
  std::vector<std::string> optional;
  bool planned = false;

  bool uses(const std::string& key) const;
};

const std::vector<ProtocolWords>& protocols();  // in the order of the language
const ProtocolWords* find_protocol(const std::string& name);
bool belongs_to_some_protocol(const std::string& key);
// Into Registry<Protocol>, once. Call it when main has begun and before the catalogue is shown;
// loading a scenario does so itself.
void register_protocols();

}  // namespace skiff
