#include "algorithms/whole_training.h"

#include "algorithms/prepare.h"
#include "sim/core/registry.h"

namespace skiff {

Vector WholeTraining::for_client(const Vector& global, const Model* base) const {
  return base == nullptr ? global : decoded(*base);
}

void WholeTraining::average(std::span<const Update> updates, std::span<const Vector> vectors,
                            Vector& direction) const {
  Node full;
  full.set(Parametrization::kKey, Node::scalar("full"));
  Registry<Parametrization>::instance().make(full)->average(updates, vectors, direction);
}

void WholeTraining::add_weights(const Shape& prepared, Cost& cost) {
  if (prepared.masked()) cost.detail.masks = Bytes(4 * prepared.kept());
  cost.memory.weights += Bytes(static_cast<std::int64_t>(4 * prepared.layout->size));
  cost.memory.weights += cost.detail.masks;
}

}  // namespace skiff
