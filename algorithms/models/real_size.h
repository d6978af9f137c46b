// Layouts of real-size models: every parameter tensor under its name in transformers, and nothing
// allocated. Which tensors are products, and how often a sample takes them, says what they cost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algorithms/models/hf_config.h"
#include "algorithms/models/layout.h"

namespace skiff {

// What a forward pass does with a tensor.
enum class TensorUse : std::uint8_t {
  kEachToken,   // a product for each token
  kFirst,       // the same, on the input itself: no gradient of the input is taken
  kEachSample,  // a product for one token of a sample (pooler, classifier)
  kGather,      // rows are looked up
  kElementwise  // biases, norms
};

struct RealSizeLayout {
  Layout layout;
  std::vector<TensorUse> uses;  // by slice
};

// Of any family that HfConfig has.
RealSizeLayout real_size_layout(const HfConfig& config);

// A model that devices can be charged for by name.
struct KnownModel {
  std::string name;         // "llama-3-8b"
  std::string summary;      // "decoder, 8.0 G parameters"
  std::string config;       // its config.json, as far as shapes go
  std::int64_t parameters;  // as published
  std::string source;
};
const std::vector<KnownModel>& known_models();
const KnownModel* find_known_model(const std::string& name);  // null if unknown

}  // namespace skiff
