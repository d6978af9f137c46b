// Parametrization: what is trained on the device, and how unequal clients' changes become one.
// Immutable; per job it makes a Weights object.
#pragma once

#include <limits>
#include <memory>
#include <span>

#include "algorithms/cost.h"
#include "algorithms/model.h"
#include "algorithms/models/weights.h"
#include "algorithms/optimizer.h"
#include "algorithms/server.h"
#include "sim/core/random.h"

namespace skiff {

class Parametrization {
 public:
  static constexpr const char* kRole = "adaptation";
  static constexpr const char* kKey = "name";
  virtual ~Parametrization() = default;

  // Weights for one job, starting at what the device received (layout of for_client). `base` is the
  // prepared model, null if the plan compresses nothing. `reuse`: an object of an earlier bind() of
  // this same parametrization on the same worker, or null; its memory may be taken over.
  virtual std::unique_ptr<Weights> bind(std::shared_ptr<const Model> base, const Vector& received,
                                        Stream round, std::unique_ptr<Weights> reuse) const = 0;
  // Of what one client sends: depends on its rank and shapes. Masks narrow no layout: what they
  // leave out is 0 here, and stays off the wire.
  virtual LayoutPtr update_layout(const Shape& prepared) const = 0;
  // What aggregation moves: the weights or the adapters.
  virtual Vector& target(GlobalModel& model) const = 0;
  virtual const Vector& target(const GlobalModel& model) const = 0;
  // The part of the global vector that one client receives (unequal ranks and shapes).
  virtual Vector for_client(const Vector& global, const Model* base) const = 0;
  // What is trained is the prepared model itself. If not, the model is a frozen base: a section of
  // its own, kept by the devices as long as its version lasts.
  virtual bool trains_base() const { return true; }
  // direction = mean of the clients' vectors by Update::weight, in client-id order for every
  // coordinate, on what they hold (Update::prepared).
  virtual void average(std::span<const Update> updates, std::span<const Vector> vectors,
                       Vector& direction) const = 0;
  // Merges adapters into weights.
  virtual void fold(GlobalModel&, Stream) const {}
  // Adds weights, gradients, adapters and optimizer state to the cost: it decides how the base is
  // held.
  virtual void cost(const Shape& prepared, const Optimizer& optimizer, Cost& cost) const = 0;

  // update() is the change of parameters(): control variates and shifts make sense.
  virtual bool sends_what_it_trains() const { return true; }
  // Rounds for which a kept vector keeps its meaning.
  virtual int space_lasts() const { return std::numeric_limits<int>::max(); }
};

}  // namespace skiff
