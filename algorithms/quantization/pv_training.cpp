// PV-Tuning on devices: a device receives its tier's codes, tunes them by P and V steps on its own
// samples, and reports the change of what they stand for.
//
// Malinovskii et al. 2024 (arXiv:2405.14852) for the steps; federating them is our own: the server
// keeps a master in float32, from which each tier's codes are made for each version (k-means from
// the tier's last tables). With W_i the model that client i decoded and W_i' what it stored after
// its steps, and p_i its share of the weights:
//   aggregation delta   theta += eta * sum_i p_i (W_i' - W_i): a tier's error of rounding cancels,
//                       and clients that changed nothing leave theta as it is, to the bit
//   aggregation model   theta = (1 - eta) theta + eta * sum_i p_i W_i': the plain mean of
//                       de-quantized models, the baseline; each round adds sum_i p_i D_i of error
//   wire delta   W' - W through the codec of uploads, best an unbiased one
//   wire codes   W' itself as stored: codes, table, scales; other tensors' changes in float32. As
//                large as the model, whatever has changed: sizes are then known before training
// On the device: what Full holds (values and gradient), and for each weight of a layer of codes 18
// bytes of values, latent weights, second moments, codes and indices; a step costs 3 * 2^bits + 30
// operations a weight beside the gradient. The optimizer's state is for the other tensors alone.

#include "algorithms/quantization/pv_training.h"

#include <algorithm>
#include <cstring>

#include "algorithms/masked_values.h"
#include "algorithms/prepare.h"
#include "algorithms/quantization/pv_weights.h"
#include "algorithms/stored_formats.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

// The master's values that the model holds, in the model's layout.
std::vector<float> held_of(const Vector& master, const Model& model) {
  std::vector<float> held;
  for (const std::uint32_t i : full_coordinates(model, *master.layout)) {
    held.push_back(master.values[i]);
  }
  return held;
}

class PvTraining final : public WholeTraining {
 public:
  explicit PvTraining(const PvParams& p) : p_(p) {}

  std::unique_ptr<Weights> bind(std::shared_ptr<const Model> base, const Vector& received, Stream,
                                std::unique_ptr<Weights> reuse) const override {
    return bound<PvWeights>(std::move(reuse), [&](PvWeights& weights) {
      weights.rebind(p_, std::move(base), received);
    });
  }

  void average(std::span<const Update> updates, std::span<const Vector> vectors,
               Vector& direction) const override {
    if (p_.aggregation == "delta") return WholeTraining::average(updates, vectors, direction);
    std::vector<Vector> to_model(vectors.begin(), vectors.end());
    for (std::size_t i = 0; i < updates.size(); ++i) {
      const Update& u = updates[i];
      if (u.prepared == nullptr) continue;
      const Vector before = decoded(*u.prepared);
      const std::vector<float> master = held_of(u.base->models[u.plan->model].weights, *u.prepared);
      for (std::size_t j = 0; j < master.size(); ++j) {
        to_model[i].values[j] += before.values[j] - master[j];
      }
    }
    WholeTraining::average(updates, to_model, direction);
  }

  void cost(const Shape& prepared, const Optimizer& optimizer, Cost& cost) const override {
    add_weights(prepared, cost);
    cost.memory.gradients += Bytes(static_cast<std::int64_t>(4 * prepared.layout->size));
    Layout rest;
    const std::vector<std::size_t> targets = p_.targets.of(*prepared.layout);
    std::int64_t coded = 0;
    for (std::size_t t = 0; t < prepared.tensors.size(); ++t) {
      const Slice& s = prepared.layout->slices[t];
      if (std::find(targets.begin(), targets.end(), t) != targets.end()) {
        coded += prepared.tensors[t].kept;
      } else {
        rest.add(s.name, s.rows, s.cols, s.order);
      }
    }
    cost.memory.optimizer_state += optimizer.state_bytes(rest) + Bytes(18 * coded);
    const double entries = static_cast<double>(p_.format().entries());
    cost.fp32 += Flops((3 * entries + 30) * static_cast<double>(coded * cost.steps));
  }

  bool own_upload() const override { return p_.wire == "codes"; }

  Bytes upload_bytes(const Shape& prepared) const override {
    std::int64_t bytes = 0;
    for (std::size_t t = 0; t < prepared.tensors.size(); ++t) {
      const TensorShape& tensor = prepared.tensors[t];
      const auto mask = (prepared.layout->slices[t].size() + 7) / 8;
      bytes += tensor.stored.value() - (tensor.masked ? static_cast<std::int64_t>(mask) : 0);
    }
    return Bytes(bytes);
  }

  Payload encode_upload(const Weights& weights, const Vector& update) const override {
    const auto& pv = static_cast<const PvWeights&>(weights);
    SKIFF_CHECK(pv.base() != nullptr, "codes of no model");
    Payload payload;
    for (std::size_t t = 0; t < pv.base()->tensors.size(); ++t) {
      StoredValuesPtr values = pv.stored(t);
      if (values == nullptr) values = change_of(*pv.base(), t, update);
      for (const StoredArray& array : values->arrays()) {
        payload.bytes.insert(payload.bytes.end(), array.bytes.begin(), array.bytes.end());
      }
    }
    return payload;
  }

  // Throws DataError for a payload that encode_upload cannot have made.
  Vector decode_upload(const Payload& payload, const Model& base) const override {
    Vector out(base.layout);
    std::size_t at = 0;
    for (std::size_t t = 0; t < base.tensors.size(); ++t) {
      const StoredTensor& before = base.tensors[t];
      const bool coded = table_parts(*kept_values(before)).has_value();
      std::vector<float> values = read(payload, at, before);
      if (coded) {
        const std::vector<float> was = before.dense();
        for (std::size_t i = 0; i < values.size(); ++i) values[i] -= was[i];
      }
      const Slice& slice = base.layout->slices[t];
      from_row_major(slice, values, std::span(out.values).subspan(slice.offset, slice.size()));
    }
    if (at != payload.bytes.size()) throw DataError("codes", "the payload has another length");
    return out;
  }

 private:
  // The change of a tensor without codes, stored as the tensor is.
  static StoredValuesPtr change_of(const Model& base, std::size_t t, const Vector& update) {
    const Slice& slice = base.layout->slices[t];
    const StoredTensor& tensor = base.tensors[t];
    std::vector<float> change(slice.size());
    to_row_major(slice, std::span(update.values).subspan(slice.offset, slice.size()), change);
    change = only_kept(tensor, std::move(change));
    const auto width = static_cast<int>(change.size());
    return dense_tensor(1, width, std::move(change)).values;
  }

  // The tensor that stands at `at`, of the same arrays as `like`; row-major, 0 where masked.
  static std::vector<float> read(const Payload& payload, std::size_t& at,
                                 const StoredTensor& like) {
    const MaskedValues* mask = masked_values(like);
    const StoredValuesPtr& inner = kept_values(like);
    StoredParts parts{like.rows, like.cols, inner->parameters(), inner->arrays()};
    if (mask != nullptr) {
      parts.rows = 1;
      parts.cols = static_cast<int>(mask->kept());
    }
    for (StoredArray& array : parts.arrays) {
      if (payload.bytes.size() - at < array.bytes.size()) {
        throw DataError("codes", "the payload has another length");
      }
      std::memcpy(array.bytes.data(), payload.bytes.data() + at, array.bytes.size());
      at += array.bytes.size();
    }
    try {
      return with_values(like, make_stored_values(inner->format(), parts)).dense();
    } catch (const std::invalid_argument& reason) {
      throw DataError("codes", reason.what());
    }
  }

  PvParams p_;
};

}  // namespace

std::shared_ptr<const Parametrization> pv_training(const PvParams& params) {
  return std::make_shared<const PvTraining>(params);
}

}  // namespace skiff
