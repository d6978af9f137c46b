#include <fmt/format.h>

#include "sim/scenario/rules.h"
#include "sim/scenario/section_schemas.h"

namespace skiff {

void check_server(const RuleContext& c) {
  const auto clients = c.number("data.clients");
  for (const std::string key : {"participants", "concurrency"}) {
    const auto wanted = c.number("server." + key);
    if (!clients || !wanted || *wanted <= *clients) continue;
    c.problem("server." + key, fmt::format("{} of {} clients; at most data.clients can {}", *wanted,
                                           *clients, key == "participants" ? "report" : "work"));
  }
  const Node* data = c.find("data");
  if (data != nullptr && data->is_map() && !c.has("data.clients") &&
      c.word("data.partition.scheme") != "natural") {
    c.problem("data.clients", "required; each is one device");
  }
}

}  // namespace skiff
