// Every quantizer and every pruner, with every good value of each of its parameters, on a small
// transformer.

#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include "algorithms/calibration.h"
#include "algorithms/compressor.h"
#include "algorithms/layer_targets.h"
#include "algorithms/masked_values.h"
#include "algorithms/stored_formats.h"
#include "sim/core/parallel.h"
#include "tests/contract/contract_test.h"

namespace skiff::testing {
namespace {

constexpr int kVocabulary = 128, kLength = 24, kSequences = 16;

struct SmallDecoder {
  std::shared_ptr<const Architecture> model;
  Samples samples;
  Vector weights;
  std::vector<std::uint32_t> rows;

  SmallDecoder() {
    TaskShape task;
    task.kind = TaskKind::kNextToken;
    task.vocabulary = kVocabulary;
    task.sequence_length = kLength;
    Node map;
    map.set("architecture", Node::scalar("llama"));
    map.set("preset", Node::scalar("tiny"));
    model = Registry<ModelFamily>::instance().make(map)->build(task);
    samples = Samples(kSequences, 0);
    samples.length = kLength + 1;
    samples.tokens.resize(std::size_t{kSequences} * (kLength + 1));
    Stream chance(1, "contract tokens");
    for (std::int32_t& id : samples.tokens)
      id = static_cast<std::int32_t>(chance.below(kVocabulary));
    for (std::uint32_t i = 0; i < kSequences; ++i) rows.push_back(i);
    weights = Vector(model->layout());
    model->initialise(weights, Stream(2, "contract weights"));
  }
  Calibration calibration() const { return {*model, samples, rows}; }
};

const SmallDecoder& decoder() {
  static const SmallDecoder one;
  return one;
}

// The decoder; thinned: 2 of 5 weights of every other matrix are pruned.
Model model_of(bool thinned) {
  Model model = dense_model(decoder().weights);
  for (std::size_t t = 0; thinned && t < model.tensors.size(); t += 2) {
    StoredTensor& tensor = model.tensors[t];
    if (tensor.rows == 1 || tensor.cols == 1) continue;
    const std::vector<float> values = tensor.dense();
    std::vector<std::uint8_t> keep(values.size());
    for (std::size_t i = 0; i < keep.size(); ++i) keep[i] = i * 7 % 5 < 3;
    tensor = masked_tensor(tensor.rows, tensor.cols, values, keep);
  }
  return model;
}

Model compressed(const Compressor& compressor, Model model, State& memory) {
  const Calibration calibration = decoder().calibration();
  compressor.compress(model, &calibration, memory, Stream(3, "contract compress"));
  return model;
}
Model compressed(const Compressor& compressor, Model model) {
  State memory;
  return compressed(compressor, std::move(model), memory);
}

// What it makes of the decoder: made once, looked at by several tests.
const Model& made(const Compressor& compressor, bool thinned) {
  static std::map<std::pair<const Compressor*, bool>, Model> all;
  const auto key = std::make_pair(&compressor, thinned);
  const auto at = all.find(key);
  if (at != all.end()) return at->second;
  return all.emplace(key, compressed(compressor, model_of(thinned))).first->second;
}

std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> all;
  for (const float x : values) all.push_back(std::bit_cast<std::uint32_t>(x));
  return all;
}

// Heads without their width and the like: refused by shape() and compress() alike.
bool is_refused(const Compressor& compressor, bool thinned) {
  Model model = model_of(thinned);
  try {
    compressor.shape(shape_of(model));
    return false;
  } catch (const std::invalid_argument&) {
    State memory;
    const Calibration calibration = decoder().calibration();
    EXPECT_THROW(compressor.compress(model, &calibration, memory, Stream(3, "x")),
                 std::invalid_argument);
    return true;
  }
}

// Every compressor with every good value of each key, and few steps where it takes steps: what
// they add up to is the business of its own tests.
const std::vector<Variant<Compressor>>& variants() {
  static const std::vector<Variant<Compressor>> all = [] {
    std::vector<Variant<Compressor>> found;
    const auto add = [&](const Node& map) {
      Reader reader({}, {"."});
      std::shared_ptr<const Compressor> object = Registry<Compressor>::instance().make(map, reader);
      if (object == nullptr) return;
      found.push_back({map.find(Compressor::kKey)->text, to_flow_text(map), std::move(object)});
    };
    for (const auto& [name, entry] : Registry<Compressor>::instance().entries()) {
      if (entry.about.planned) continue;
      Node least = least_map<Compressor>(entry);
      for (const FieldInfo& field : entry.fields) {
        if (field.name == "steps") least.set("steps", Node::scalar("2"));
        if (field.name == "sub_models") least.set("sub_models", Node::scalar("4"));
      }
      add(least);
      for (const FieldInfo& field : entry.fields) {
        for (const Node& value : good_values(field)) {
          Node map = least;
          map.set(field.name, value);
          if (to_flow_text(map) != to_flow_text(least)) add(map);
        }
      }
    }
    return found;
  }();
  return all;
}

class CompressorContract : public ::testing::Test {
 protected:
  // Calls test(compressor, thinned) for every variant, and for those that take a thinned model.
  template <class Test>
  static void for_compressors(Test test) {
    for (const Variant<Compressor>& v : variants()) {
      for (const bool thinned : {false, true}) {
        if (thinned && v.object->removes_weights()) continue;
        SCOPED_TRACE(v.text + (thinned ? ", thinned" : ""));
        if (is_refused(*v.object, thinned)) continue;
        test(*v.object, thinned);
      }
    }
  }
};

TEST_F(CompressorContract, TheShapePredictedIsTheOneThatComesOut) {
  for_compressors([](const Compressor& compressor, bool thinned) {
    const Model before = model_of(thinned);
    const Shape predicted = compressor.shape(shape_of(before));
    const Shape after = shape_of(made(compressor, thinned));
    if (compressor.size_depends_on_data()) {
      EXPECT_LE(after.stored, predicted.stored);
      return;
    }
    EXPECT_EQ(after.stored, predicted.stored);
    ASSERT_EQ(after.tensors.size(), predicted.tensors.size());
    for (std::size_t t = 0; t < after.tensors.size(); ++t) {
      EXPECT_EQ(after.tensors[t].stored, predicted.tensors[t].stored) << t;
      EXPECT_EQ(after.tensors[t].kept, predicted.tensors[t].kept) << t;
      EXPECT_EQ(after.tensors[t].masked, predicted.tensors[t].masked) << t;
      EXPECT_EQ(after.tensors[t].scales, predicted.tensors[t].scales) << t;
    }
  });
}

// What is said to be scales and masks is what stands under such names in a file.
TEST_F(CompressorContract, WhatIsNoCodeNoFloatAndNoMaskIsScales) {
  for_compressors([](const Compressor& compressor, bool thinned) {
    const Model model = made(compressor, thinned);
    Bytes masks{};
    for (std::size_t t = 0; t < model.tensors.size(); ++t) {
      Bytes scales{};
      for (const StoredArray& array : model.tensors[t].values->arrays()) {
        const Bytes bytes(static_cast<std::int64_t>(array.bytes.size()));
        if (array.name == "mask") masks += bytes;
        const bool values = array.name == "codes" || array.name == "values";
        if (array.name != "mask" && !values) scales += bytes;
      }
      EXPECT_EQ(model.tensors[t].values->scale_bytes(), scales) << t;
    }
    EXPECT_EQ(shape_of(model).masks(), masks);
  });
}

TEST_F(CompressorContract, TheSameBitsOnAnyNumberOfThreads) {
  for_compressors([](const Compressor& compressor, bool thinned) {
    const std::vector<std::uint32_t> expected = bits(decoded(made(compressor, thinned)).values);
    for (const int n : {1, 8}) {
      set_threads(n);
      EXPECT_EQ(bits(decoded(compressed(compressor, model_of(thinned))).values), expected) << n;
    }
    set_threads(0);
  });
}

TEST_F(CompressorContract, WhatWasPrunedStaysExactlyZero) {
  for_compressors([](const Compressor& compressor, bool thinned) {
    if (!thinned) return;
    const Model before = model_of(true);
    const Model& after = made(compressor, thinned);
    for (std::size_t t = 0; t < before.tensors.size(); ++t) {
      const MaskedValues* mask = masked_values(before.tensors[t]);
      if (mask == nullptr) continue;
      ASSERT_NE(masked_values(after.tensors[t]), nullptr);
      EXPECT_EQ(masked_values(after.tensors[t])->bitmap(), mask->bitmap());
    }
  });
}

TEST_F(CompressorContract, ArraysAreTheBytesAndMakeTheTensorAnew) {
  for_compressors([](const Compressor& compressor, bool thinned) {
    for (const StoredTensor& tensor : made(compressor, thinned).tensors) {
      StoredParts parts{tensor.rows, tensor.cols, tensor.values->parameters(),
                        tensor.values->arrays()};
      std::int64_t sum = 0;
      for (const StoredArray& array : parts.arrays) {
        sum += static_cast<std::int64_t>(array.bytes.size());
      }
      EXPECT_EQ(Bytes(sum), tensor.bytes()) << tensor.values->format();
      StoredTensor again{tensor.rows, tensor.cols,
                         make_stored_values(tensor.values->format(), parts)};
      EXPECT_EQ(bits(again.dense()), bits(tensor.dense())) << tensor.values->format();
      EXPECT_EQ(again.bytes(), tensor.bytes());
      // Arrays of another length are refused, whichever they are.
      for (StoredArray& array : parts.arrays) {
        array.bytes.push_back(std::byte{0});
        EXPECT_THROW(make_stored_values(tensor.values->format(), parts), std::invalid_argument);
        array.bytes.pop_back();
      }
    }
  });
}

TEST_F(CompressorContract, WhatIsNoTargetStaysAsItIs) {
  for_compressors([](const Compressor& compressor, bool thinned) {
    if (compressor.changes_shapes()) return;
    const Model before = model_of(thinned);
    const Model& after = made(compressor, thinned);
    const std::vector<std::size_t> targets = LayerTargets{}.of(*before.layout);
    for (std::size_t t = 0; t < before.tensors.size(); ++t) {
      if (std::find(targets.begin(), targets.end(), t) != targets.end()) continue;
      EXPECT_EQ(bits(after.tensors[t].dense()), bits(before.tensors[t].dense())) << t;
    }
  });
}

TEST_F(CompressorContract, NamedTargetsAloneAreTouched) {
  for (const auto& [name, entry] : Registry<Compressor>::instance().entries()) {
    if (entry.about.planned) continue;
    SCOPED_TRACE(name);
    Node map = least_map<Compressor>(entry);
    map.set("targets", list_node({"q_proj", "o_proj"}));
    Reader reader;
    const auto compressor = Registry<Compressor>::instance().make(map, reader);
    if (compressor == nullptr || compressor->changes_shapes()) continue;
    const Model before = model_of(false), after = compressed(*compressor, before);
    for (std::size_t t = 0; t < before.tensors.size(); ++t) {
      const std::string layer = layer_of(before.layout->slices[t]);
      const bool target = layer.ends_with("q_proj") || layer.ends_with("o_proj");
      EXPECT_EQ(after.tensors[t].values != before.tensors[t].values, target) << layer;
    }
    map.set("targets", list_node({"no_such_layer"}));
    Reader again;
    const auto lost = Registry<Compressor>::instance().make(map, again);
    if (lost != nullptr) {
      EXPECT_THROW(compressed(*lost, before), std::invalid_argument);
      EXPECT_THROW(lost->shape(shape_of(before)), std::invalid_argument);
    }
  }
}

TEST_F(CompressorContract, WeightsThatAreNotFiniteAreRefused) {
  for (const float wrong :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for_compressors([wrong](const Compressor& compressor, bool thinned) {
      Model model = model_of(thinned);
      const std::size_t t = LayerTargets{}.of(*model.layout)[1];
      StoredTensor& tensor = model.tensors[t];
      std::vector<float> values = tensor.dense();
      values[11] = wrong;
      const std::vector<std::uint8_t> all(values.size(), 1);
      tensor = thinned ? masked_tensor(tensor.rows, tensor.cols, values, all)
                       : dense_tensor(tensor.rows, tensor.cols, values);
      State memory;
      EXPECT_THROW(compressor.compress(model, nullptr, memory, Stream(3, "x")),
                   std::invalid_argument);
    });
  }
}

TEST_F(CompressorContract, CostsAreStatedAndFinite) {
  for_compressors([](const Compressor& compressor, bool thinned) {
    const Shape before = shape_of(model_of(thinned));
    const Cost cost = compressor.cost(before);
    EXPECT_GT(cost.fp32.value(), 0);
    EXPECT_TRUE(std::isfinite(cost.fp32.value()));
    EXPECT_GE(cost.memory.total(), before.stored);
  });
}

}  // namespace
}  // namespace skiff::testing
