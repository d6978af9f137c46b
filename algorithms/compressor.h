// Compressor: what does this model become? Every quantizer and every pruner.
#pragma once

#include <vector>

#include "algorithms/cost.h"
#include "algorithms/model.h"
#include "algorithms/state.h"
#include "sim/core/random.h"

namespace skiff {

struct Calibration;  // inputs, outputs or Hessians of the layers, for those that ask for them

class Compressor {
 public:
  static constexpr const char* kRole = "compressor";
  static constexpr const char* kKey = "name";
  virtual ~Compressor() = default;
  // memory: warm start (codes, codebooks) of the last call.
  virtual void compress(Model& model, const Calibration* calibration, State& memory,
                        Stream stream) const = 0;
  virtual Shape shape(const Shape& before) const = 0;  // what compress() will leave
  virtual Cost cost(const Shape& before) const = 0;    // wherever it runs
  // Squared relative error by slice, for the planner; empty = must be measured.
  virtual std::vector<double> relative_error(const Layout&) const { return {}; }
  virtual bool changes_shapes() const { return false; }
};

}  // namespace skiff
