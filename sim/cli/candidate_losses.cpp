#include "sim/cli/candidate_losses.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "algorithms/prepare.h"
#include "algorithms/quantization/linearity.h"
#include "sim/cli/assemble_steps.h"
#include "sim/federation/learner.h"

namespace skiff {
namespace {

constexpr std::size_t kMostWeights = std::size_t{1} << 26;  // compressed, over all candidates
constexpr std::size_t kSamples = 16;

std::string text_of(const Node& row, const char* key) {
  const Node* value = row.find(key);
  return value != nullptr ? value->text : "";
}

// In the order in which they act.
std::vector<const Compressor*> compressors_of(const Plan& plan, bool removing) {
  std::vector<const Compressor*> found;
  for (const auto* list : {&plan.compressors, &plan.at_end}) {
    for (const auto& compressor : *list) {
      if (compressor->removes_weights() == removing) found.push_back(compressor.get());
    }
  }
  return found;
}

// How often the whole model is compressed.
std::size_t times(const std::vector<Node>& rows) {
  std::set<std::string> bits, sparsities;
  for (const Node& row : rows) {
    bits.insert(text_of(row, "bits"));
    sparsities.insert(text_of(row, "sparsity"));
  }
  return bits.size() + sparsities.size();
}

}  // namespace

std::vector<bool> coded_slices(const Compressor& quantizer, const Shape& before) {
  const Shape after = quantizer.shape(before);
  std::vector<bool> coded(before.tensors.size());
  for (std::size_t t = 0; t < coded.size(); ++t) {
    coded[t] = after.tensors[t].stored != before.tensors[t].stored;
  }
  return coded;
}

CandidateLosses::CandidateLosses(const Scenario& scenario, const FederationSetup& setup,
                                 const AdaptiveParams& params, const std::vector<Node>& rows)
    : scenario_(scenario),
      setup_(setup),
      params_(params),
      layout_(setup.composition.models.front()->layout()) {
  if (setup.timing_only || layout_->size * times(rows) > kMostWeights) return;
  if (!scenario.compression.quantization && !scenario.compression.pruning) return;
  weights_ = initial_server(setup).models.front().weights;
  trained_ = scenario.model.checkpoint.has_value();
  const Samples& samples = setup.data->server;
  if (samples.rows() == 0) return;
  std::vector<std::uint32_t> some(
      std::min<std::size_t>(kSamples, static_cast<std::size_t>(samples.rows())));
  std::iota(some.begin(), some.end(), 0U);
  calibration_ =
      std::make_unique<Calibration>(*setup.composition.models.front(), samples, std::move(some));
  if (trained_) before_ = calibration_->loss(weights_);
}

const std::vector<double>& CandidateLosses::slopes(const std::vector<bool>& coded) {
  if (!trained_ || calibration_ == nullptr || !slopes_.empty()) return slopes_;
  std::vector<std::size_t> targets;
  for (std::size_t t = 0; t < coded.size(); ++t) {
    if (coded[t]) targets.push_back(t);
  }
  const std::vector<double> found = loss_slopes(*calibration_, dense_model(weights_), targets, {},
                                                Stream(setup_.seed, "planner.slopes"));
  // A few samples leave noise on the slopes: no layer counts for less than a tenth of the median.
  std::vector<double> sorted = found;
  std::sort(sorted.begin(), sorted.end());
  const double least = std::max(0.0, sorted[sorted.size() / 2] / 10);
  slopes_.resize(coded.size());
  for (std::size_t i = 0; i < targets.size(); ++i) slopes_[targets[i]] = std::max(least, found[i]);
  return slopes_;
}

// What its quantizers leave of the model; the table that they have of themselves, where the model
// is too large; empty if they have none.
std::vector<double> CandidateLosses::errors_of(const Plan& plan) {
  if (weights_.values.empty()) {
    std::vector<double> sum;
    for (const Compressor* compressor : compressors_of(plan, false)) {
      const std::vector<double> errors = compressor->relative_error(*layout_);
      sum.resize(std::max(sum.size(), errors.size()));
      for (std::size_t t = 0; t < errors.size(); ++t) sum[t] += errors[t];
    }
    return sum;
  }
  if (seen_ == nullptr) {
    seen_ = std::make_unique<SeenErrors>(weights_, trained_ ? calibration_.get() : nullptr);
  }
  Model model = dense_model(weights_);
  at_key(scenario_, "compression.quantization", [&] {
    for (const Compressor* compressor : compressors_of(plan, false)) {
      State none;
      compressor->compress(model, calibration_.get(), none, Stream(setup_.seed, "planner.errors"));
    }
  });
  return seen_->of(decoded(model));
}

std::vector<double> CandidateLosses::slice_growth(const Node& row, const Plan& plan) {
  const std::vector<const Compressor*> quantizers = compressors_of(plan, false);
  if (quantizers.empty()) return {};
  const std::vector<bool> coded = coded_slices(*quantizers.front(), dense_shape(layout_));
  const Node* bits = row.find("bits");
  if (!params_.measured.bits.empty() && bits != nullptr) {
    return shared_growth(on_curve(params_.measured.bits, bits->text), coded, *layout_);
  }
  std::vector<double> errors = errors_of(plan);
  for (std::size_t t = 0; t < errors.size(); ++t) {
    if (!coded[t]) errors[t] = 0;  // the rest, in 16 bits
  }
  if (!errors.empty()) return growth_by_slice(errors, slopes(coded), *layout_);
  if (bits == nullptr) return {};
  return shared_growth(on_curve(built_in_losses().bits, bits->text), coded, *layout_);
}

const std::vector<double>& CandidateLosses::by_slice(const Node& row, const Plan& plan) {
  const std::string bits = text_of(row, "bits");
  const auto known = by_bits_.find(bits);
  if (known != by_bits_.end()) return known->second;
  return by_bits_[bits] = slice_growth(row, plan);
}

std::optional<double> CandidateLosses::pruned_growth(const Node& row, const Plan& plan) {
  const std::vector<const Compressor*> pruners = compressors_of(plan, true);
  if (pruners.empty() || !trained_ || calibration_ == nullptr || weights_.values.empty() ||
      !params_.measured.sparsity.empty()) {
    return {};
  }
  const std::string sparsity = text_of(row, "sparsity");
  const auto known = by_sparsity_.find(sparsity);
  if (known != by_sparsity_.end()) return known->second;
  Model model = dense_model(weights_);
  at_key(scenario_, "compression.pruning", [&] {
    for (const Compressor* compressor : pruners) {
      State none;
      compressor->compress(model, calibration_.get(), none, Stream(setup_.seed, "planner.errors"));
    }
  });
  const double growth = calibration_->loss(widened(model, layout_)) - before_;
  return by_sparsity_[sparsity] = std::max(0.0, growth);
}

double CandidateLosses::of(const Node& row, const Plan& plan, std::optional<double> bits) {
  FoundLoss found;
  if (bits) {
    found.bits = bits;
  } else {
    const std::vector<double>& growth = by_slice(row, plan);
    if (!growth.empty()) found.bits = std::accumulate(growth.begin(), growth.end(), 0.0);
  }
  found.sparsity = pruned_growth(row, plan);
  return predicted_loss(row, params_.measured, found);
}

}  // namespace skiff
