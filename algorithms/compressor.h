// Compressor: what does this model become? Every quantizer and every pruner.
//
// Immutable. It carries all that its `compression.quantization` or `.pruning` map says (bits,
// sparsity, structure, targets), so that a tier's other numbers make another object. Pruners come
// before quantizers; a quantizer keeps what a pruner took out. Tensors that are no target stay as
// they are.
#pragma once

#include <memory>
#include <vector>

#include "algorithms/cost.h"
#include "algorithms/model.h"
#include "algorithms/state.h"
#include "sim/core/random.h"

namespace skiff {

class Calibration;
class Parametrization;

class Compressor {
 public:
  static constexpr const char* kRole = "compressor";
  static constexpr const char* kKey = "name";
  virtual ~Compressor() = default;
  // memory: warm start (codes, codebooks) of the last call. calibration: null unless the caller has
  // samples. Throws std::invalid_argument, in the user's words, for a model that has none of the
  // targets or cannot be treated so.
  virtual void compress(Model& model, const Calibration* calibration, State& memory,
                        Stream stream) const = 0;
  // What compress() will leave, to the byte, from shapes alone; throws as compress() does. A bound
  // if size_depends_on_data().
  virtual Shape shape(const Shape& before) const = 0;
  virtual Cost cost(const Shape& before) const = 0;  // wherever it runs
  // Squared relative error by slice, for the planner; empty = must be measured.
  virtual std::vector<double> relative_error(const Layout&) const { return {}; }
  virtual bool size_depends_on_data() const { return false; }
  virtual bool changes_shapes() const { return false; }
  virtual bool needs_calibration() const { return false; }
  // Does better with samples, or uses parameters only then.
  virtual bool uses_calibration() const { return needs_calibration(); }
  // How devices train what it made, if it has a way of its own (codes); null: as they train
  // weights.
  virtual std::shared_ptr<const Parametrization> training() const { return nullptr; }
  // The mask or the channels of the first call hold for all later ones.
  virtual bool removes_weights() const { return false; }
};

}  // namespace skiff
