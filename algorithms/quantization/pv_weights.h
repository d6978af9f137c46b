// Weights whose linear layers are codes, a table and scales, trained by P and V steps (pv_layer.h);
// every other tensor is trained as it is, by the optimizer of the scenario.
//
// Forward and backward run on what the layers decode to. A gradient is whole before a step; the
// layers take theirs from it, as a method has corrected and clipping has cut it, after the
// optimizer has moved the rest. Codes' moments last for one job.
// update(): of a layer, what its stored form (table and scales in fp16) decodes to, less what was
// received; exactly 0 where nothing has moved. One thread.
#pragma once

#include <memory>
#include <vector>

#include "algorithms/quantization/pv_params.h"
#include "algorithms/whole_training.h"

namespace skiff {

class PvWeights final : public WholeWeights {
 public:
  // base: null if there are no codes. `received` must live as long as the job.
  void rebind(const PvParams& params, std::shared_ptr<const Model> base, const Vector& received);

  bool moves_itself(std::size_t tensor) const override { return layer_of_[tensor] >= 0; }
  void begin_step(Stream step) override { step_ = step; }
  void after_step() override;
  void update(Vector& out) const override;

  // Of one tensor as it would be stored now; null for those that have no codes.
  StoredValuesPtr stored(std::size_t tensor) const;
  const Model* base() const { return base_.get(); }

 private:
  std::shared_ptr<const Model> base_;
  PvMode mode_ = PvMode::kPvSte;
  PvRates rates_;
  std::vector<PvLayer> layers_;
  std::vector<std::size_t> tensors_;  // by layer
  std::vector<int> layer_of_;         // by tensor; -1: none
  Stream step_{0, "pv"};
};

}  // namespace skiff
