// Optimizer: how a gradient moves a parameter, on the device or on the server.
// Immutable; moments live in the State that it is given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "algorithms/models/layout.h"
#include "algorithms/state.h"

namespace skiff {

// What becomes of a client's moments when its round ends: forgotten, or kept on the device.
enum class ClientStatePolicy { kReset, kPersistent };

class Parametrization;

class Optimizer {
 public:
  static constexpr const char* kRole = "optimizer";
  static constexpr const char* kKey = "name";
  virtual ~Optimizer() = default;

  // Step size in round 0..horizon-1, by the schedule.
  virtual double learning_rate(std::int64_t round, std::int64_t horizon) const = 0;
  // Moves the slice w against its gradient g; w, g: the slice's values.
  virtual void step(const Slice& slice, std::span<float> w, std::span<const float> g,
                    double learning_rate, State& state) const = 0;
  // After the last of a client's steps in a round: what the moments still owe the slice may be
  // paid.
  virtual void finish(const Slice&, std::span<float> /*w*/, double /*learning_rate*/,
                      State&) const {}
  // Exactly what State::bytes() will say after a step on every slice.
  virtual Bytes state_bytes(const Layout& trained) const = 0;
  // w -= learning_rate * g and nothing else: the step may then be fused into the gradient.
  virtual bool plain_sgd() const { return false; }
  // If `steps` steps from a fresh state change w by -learning_rate times a fixed combination of
  // their gradients: the sum of its coefficients (`steps` for plain SGD). Negative: they do not.
  virtual double gradient_weight(std::int64_t steps) const {
    return plain_sgd() ? static_cast<double>(steps) : -1;
  }
  virtual ClientStatePolicy client_state() const { return ClientStatePolicy::kReset; }
  // How devices train with it, where it needs more than a gradient of each slice (projected
  // gradients, forward passes): what takes the place of `full`. It calls step() for the slices that
  // it leaves whole, and keeps the other moments in the same State. Null: nothing special.
  virtual std::shared_ptr<const Parametrization> training() const { return nullptr; }
  // Its steps note the factor by which selection and rounding shrink an error ("contraction").
  virtual bool notes_contraction() const { return false; }
  // Most that state_bytes() may be; a composition that needs more is refused. Empty: no limit.
  virtual std::optional<Bytes> state_limit() const { return std::nullopt; }
};

}  // namespace skiff
