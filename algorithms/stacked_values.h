// Values beside which a device keeps what training has added to them: codes, and a sum of low-rank
// products or a buffer of increments. What that takes is Parametrization::beside_base; bytes() are
// those of the codes. Lives as long as a run; never in files.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "algorithms/model.h"

namespace skiff {

class StackedValues final : public StoredValues {
 public:
  // added: row-major, as many as the values are.
  StackedValues(StoredValuesPtr values, std::vector<float> added)
      : values_(std::move(values)), added_(std::move(added)) {}

  std::string_view format() const override { return "stacked"; }
  Bytes bytes() const override { return values_->bytes(); }
  Bytes scale_bytes() const override { return values_->scale_bytes(); }
  void to_dense(std::span<float> out) const override {
    values_->to_dense(out);
    for (std::size_t i = 0; i < added_.size(); ++i) out[i] += added_[i];
  }
  std::vector<StoredArray> arrays() const override { return values_->arrays(); }
  Node parameters() const override { return values_->parameters(); }

 private:
  StoredValuesPtr values_;
  std::vector<float> added_;
};

}  // namespace skiff
