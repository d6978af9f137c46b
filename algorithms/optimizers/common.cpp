#include "algorithms/optimizers/common.h"

#include "algorithms/kernels/reduce.h"

namespace skiff {

OptimizerParams::OptimizerParams() {
  schedule.name = "constant";
  schedule.node.kind = Node::Kind::kMap;
  schedule.node.set(Schedule::kKey, Node::scalar(schedule.name));
}

double OptimizerParams::rate(std::int64_t round, std::int64_t horizon) const {
  const bool constant = schedule.object == nullptr;
  return constant ? learning_rate : learning_rate * schedule.object->factor(round, horizon);
}

ClientStatePolicy OptimizerParams::policy() const {
  if (client_state == "persistent") return ClientStatePolicy::kPersistent;
  return ClientStatePolicy::kReset;
}

void check_decay(const OptimizerParams& params, const Node& map, Reader& reader) {
  if (params.learning_rate * params.weight_decay < 1) return;
  const Reader::Scope scope(reader, "weight_decay");
  reader.problem(map.find("weight_decay")->where,
                 "learning_rate * weight_decay is 1 or more: a step would wipe the weights out");
}

void check_below_one(double beta, const char* name, const Node& map, Reader& reader) {
  if (beta < 1) return;
  const Reader::Scope scope(reader, name);
  reader.problem(map.find(name)->where, "1 never sees a gradient; write less than 1");
}

void decay(std::span<float> w, double learning_rate, double weight_decay) {
  if (weight_decay != 0) kernels::scale(w, static_cast<float>(1 - learning_rate * weight_decay), w);
}

}  // namespace skiff
